using FastListener.Storage;
using Xunit;

namespace FastListener.Tests.Cli;

/// <summary>Tables on terminals that are too narrow for them: what can be copied stays whole.</summary>
public class ListingTests
{
    private static readonly (AttributeSource, string, string)[] Attributes =
        [(AttributeSource.Query, "version", "1.2.3"), (AttributeSource.Field, "process_type", "renderer"), (AttributeSource.Field, "ptype", "renderer"), (AttributeSource.Field, "plat", "Linux")];

    [Theory]
    [InlineData(80, "ID RECEIVED PROJECT SIZE ATTRIBUTES")]
    [InlineData(120, "ID RECEIVED PROJECT FORMAT SIZE ATTACHMENTS ATTRIBUTES")]
    [InlineData(160, "ID _RXID RECEIVED PROJECT FORMAT SIZE ATTACHMENTS ATTRIBUTES")]
    public async Task List_leaves_out_columns_rather_than_break_an_id_or_a_time(int columns, string headings)
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddAsync("crashes", TimeSpan.Zero, Attributes, ("upload_file_minidump", "a.dmp", new byte[40_000]));

        var run = await crashes.RunOnTerminalOf(columns, "list");

        Assert.All(run.Lines, line => Assert.InRange(line.TrimEnd().Length, 0, columns));
        Assert.Equal(headings, string.Join(' ', run.Lines.First(line => line.Contains("RECEIVED", StringComparison.Ordinal)).Split([' ', '│'], StringSplitOptions.RemoveEmptyEntries)));
        Assert.Contains("2025-03-14T15:09:26Z", run.Out, StringComparison.Ordinal);
        Assert.Equal(headings.Contains("_RXID", StringComparison.Ordinal), run.Out.Contains(rxid, StringComparison.Ordinal));
        Assert.Equal(columns < 160, run.Out.Contains("Left out for want of room: _RXID", StringComparison.Ordinal));
        Assert.Contains("1.2.3", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    [InlineData(160)]
    public async Task Show_leaves_nothing_out_and_breaks_no_checksum(int columns)
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddAsync(
            "crashes", TimeSpan.Zero, Attributes, ("upload_file_minidump", "crashpad-renderer-chromium156-linux-x64.dmp", new byte[40_000]), ("attachment_app.log", "app.log", new byte[10]));

        var run = await crashes.RunOnTerminalOf(columns, "show", rxid);
        var payloads = (await crashes.Run("show", rxid, "--json")).Json.GetProperty("payloads");

        Assert.All(payloads.EnumerateArray(), payload => Assert.Contains(payload.GetProperty("checksum").GetString()!, run.Out, StringComparison.Ordinal));
        Assert.Contains("upload_file_minidump ", run.Out.ReplaceLineEndings(" "), StringComparison.Ordinal); // what --part takes
        Assert.Contains("2025-03-14T15:09:26.000Z", run.Out, StringComparison.Ordinal);
        Assert.All(Attributes, attribute => Assert.Contains(attribute.Item2, run.Out, StringComparison.Ordinal));
        Assert.DoesNotContain("Left out", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_object_lacks_stands_beside_its_attributes_on_a_terminal()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        await crashes.AddDegradedAsync(Degradation.WithoutAttachments, "too many", [.. "MDMP"u8], []);

        var run = await crashes.RunOnTerminal("list");

        Assert.Contains("(degraded, without attachments: too many)", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("1 (degraded", run.Out, StringComparison.Ordinal);
    }
}
