using System.IO.Hashing;
using System.Text.Json;
using FastListener.Storage;
using Xunit;

namespace FastListener.Tests.Cli;

/// <summary>What the verbs say about objects that gave up bytes when they came.</summary>
public class DegradedCommandTests
{
    private const string Reason = "the token is over \u001b[1mits limit";
    private static readonly byte[] Dump = [.. "MDMP"u8, .. new byte[900]];
    private static readonly byte[] Log = new byte[5000];

    [Fact]
    public async Task List_and_show_mark_a_degraded_object_with_its_reason()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddDegradedAsync(Degradation.WithoutAttachments, Reason, Dump, Log);

        var cells = (await crashes.Run("list")).Lines[1].Split('\t');
        Assert.Equal("1 (degraded, without attachments: the token is over \\x1b[1mits limit)", cells[0]);
        Assert.Equal($"{Dump.Length}", cells[5]); // what is kept

        var shown = await crashes.Run("show", rxid);
        Assert.Contains("Degraded   without attachments: the token is over \\x1b[1mits limit\n", shown.Out, StringComparison.Ordinal);
        Assert.Contains("Account    0123abcd\n", shown.Out, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', shown.Out);
        Assert.EndsWith("\tyes", shown.Lines.Single(line => line.StartsWith("0\treport", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.EndsWith("\tno: the token is over \\x1b[1mits limit", shown.Lines.Single(line => line.StartsWith("1\tattachment", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_names_level_and_reason_and_which_payloads_are_missing()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddDegradedAsync(Degradation.MetadataOnly, Reason, Dump, Log);

        var item = (await crashes.Run("show", rxid, "--json")).Json;
        Assert.Equal(("metadata_only", Reason), (item.GetProperty("degraded").GetProperty("level").GetString(), item.GetProperty("degraded").GetProperty("reason").GetString()));
        Assert.Equal(("0123abcd", 12_345), (item.GetProperty("account").GetString(), item.GetProperty("wireBytes").GetInt32()));
        Assert.All(item.GetProperty("payloads").EnumerateArray(), payload => Assert.Equal(Reason, payload.GetProperty("omitted").GetString()));
        Assert.Equal(Log.Length, item.GetProperty("payloads")[1].GetProperty("size").GetInt32());
        Assert.Equal(Convert.ToHexStringLower(XxHash128.Hash(Log)), item.GetProperty("payloads")[1].GetProperty("checksum").GetString());
        Assert.True(JsonElement.DeepEquals(item, Assert.Single((await crashes.Run("list", "--json")).Json.EnumerateArray())));
    }

    [Theory]
    [InlineData("attachment_log")]
    [InlineData("1")]
    public async Task Exporting_a_part_that_was_not_kept_fails_says_so_and_writes_nothing(string part)
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddDegradedAsync(Degradation.WithoutAttachments, Reason, Dump, Log);

        foreach (var target in (string[][])[["-o", crashes.Beside("out")], ["--to", crashes.Beside("out")], ["-o", "-"]])
        {
            var run = await crashes.Run(["export", rxid, "--part", part, .. target]);
            Assert.Equal(1, run.Exit);
            Assert.Equal($"Part 1 of object {rxid} was not kept when it came (5000 bytes): the token is over \\x1b[1mits limit.\n", run.Error);
            Assert.False(File.Exists(crashes.Beside("out")));
            Assert.False(Directory.Exists(crashes.Beside("out")) && Directory.EnumerateFiles(crashes.Beside("out"), "*", SearchOption.AllDirectories).Any());
        }
    }

    [Fact]
    public async Task Exporting_the_report_of_an_object_that_kept_only_metadata_fails()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddDegradedAsync(Degradation.MetadataOnly, Reason, Dump, Log);
        var run = await crashes.Run("export", rxid, "-o", crashes.Beside("out"));
        Assert.Equal(1, run.Exit);
        Assert.StartsWith($"Part 0 of object {rxid} was not kept", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exporting_everything_writes_what_is_kept_and_says_what_is_not()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddDegradedAsync(Degradation.WithoutAttachments, Reason, Dump, Log);
        var run = await crashes.Run("export", "--all", "--to", crashes.Beside("out"));
        Assert.Equal(0, run.Exit);
        Assert.Contains($"Part 1 of object {rxid} was not kept", run.Error, StringComparison.Ordinal);
        Assert.Equal(Dump, await File.ReadAllBytesAsync(Assert.Single(Directory.EnumerateFiles(crashes.Beside("out"), "*", SearchOption.AllDirectories))));
    }

    [Fact]
    public async Task Verify_counts_what_was_not_kept_and_finds_nothing_wrong()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        await crashes.AddDegradedAsync(Degradation.WithoutAttachments, Reason, Dump, Log);
        var run = await crashes.Run("verify");
        Assert.Equal(0, run.Exit);
        Assert.Equal("1 payload of degraded objects was not kept when they came, so there was nothing to read.", run.Lines[1]);
    }
}
