using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text.Json;
using FastListener.Storage;
using Xunit;

namespace FastListener.Tests.Cli;

/// <summary><c>list</c>, <c>show</c> and <c>export</c> on a store that is open for writing meanwhile.</summary>
public class StoreCommandTests
{
    private static readonly byte[] Dump = [.. "MDMP"u8, .. RandomNumberGenerator.GetBytes(40_000)];
    private static readonly byte[] LargeDump = [.. "MDMP"u8, .. RandomNumberGenerator.GetBytes(3_000_000)];
    private static readonly byte[] Log = "one line\n"u8.ToArray();

    [Fact]
    public async Task List_prints_newest_first_with_a_tab_between_columns()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var old = await crashes.AddAsync("p", TimeSpan.FromHours(2), [], ("upload_file_minidump", "a.dmp", Dump));
        var young = await crashes.AddAsync(
            "q", TimeSpan.FromMinutes(1), [(AttributeSource.Query, "zone", "x"), (AttributeSource.Field, "version", "1.2")],
            ("upload_file_minidump", "a.dmp", Dump), ("attachment_log", "log", Log));

        var run = await crashes.Run("list");

        Assert.Equal((0, ""), (run.Exit, run.Error));
        Assert.Equal("ID\t_RXID\tRECEIVED\tPROJECT\tFORMAT\tSIZE\tATTACHMENTS\tATTRIBUTES", run.Lines[0]);
        var cells = run.Lines[1].Split('\t');
        Assert.Equal(
            [young, "2025-03-14T15:08:26.000Z", "local/q", "minidump", $"{Dump.Length + Log.Length}", "1", "version=1.2 zone=x"], cells[1..]);
        Assert.Equal(old, run.Lines[2].Split('\t')[1]);
        Assert.Equal(3, run.Lines.Length);
    }

    [Fact]
    public async Task List_restricts_by_project_attribute_time_and_number()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        await crashes.AddAsync("p", TimeSpan.FromDays(3), [(AttributeSource.Query, "v", "1")], ("r", "", Dump));
        await crashes.AddAsync("p", TimeSpan.FromHours(3), [(AttributeSource.Query, "v", "2"), (AttributeSource.Field, "v", "1")], ("r", "", Dump));
        await crashes.AddAsync("q", TimeSpan.FromMinutes(3), [(AttributeSource.Query, "v", "2")], ("r", "", Dump));

        Assert.Equal(3, await CountAsync());
        Assert.Equal(2, await CountAsync("--project", "p"));
        Assert.Equal(0, await CountAsync("--universe", "elsewhere"));
        Assert.Equal(2, await CountAsync("--attribute", "v=1"));
        Assert.Equal(1, await CountAsync("--attribute", "v=2"));
        Assert.Equal(0, await CountAsync("--attribute", "v=1", "--attribute", "w=1"));
        Assert.Equal(2, await CountAsync("--since", "1d"));
        Assert.Equal(1, await CountAsync("--since", "2025-03-14T15:00Z"));
        Assert.Equal(1, await CountAsync("--limit", "1"));
        Assert.Equal(3, await CountAsync("--limit", "0"));

        async Task<int> CountAsync(params string[] options) => (await crashes.Run(["list", "--json", .. options])).Json.GetArrayLength();
    }

    [Fact]
    public async Task Json_has_the_documented_shape_in_list_and_show()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddAsync(
            "p", TimeSpan.Zero,
            [(AttributeSource.Field, "k", "field"), (AttributeSource.Report, "k", "report"), (AttributeSource.Query, "é\u001b", "v")],
            ("upload_file_minidump", "a.dmp", Dump), ("attachment_log", "/var/log/x.log", Log));

        var shown = await crashes.Run("show", rxid, "--json");
        Assert.Equal(0, shown.Exit);
        var item = shown.Json;
        Assert.Equal(
            ["id", "rxid", "universe", "project", "format", "receivedAt", "committedAt", "clientAddress", "attributes", "allAttributes", "notes", "payloads", "account", "wireBytes", "degraded", "unconfirmed", "damage"],
            item.EnumerateObject().Select(member => member.Name));
        Assert.Equal(rxid, item.GetProperty("rxid").GetString());
        Assert.Equal("local", item.GetProperty("universe").GetString());
        Assert.Equal("p", item.GetProperty("project").GetString());
        Assert.Equal("minidump", item.GetProperty("format").GetString());
        Assert.Equal("2025-03-14T15:09:26.000000Z", item.GetProperty("receivedAt").GetString());
        Assert.Equal("192.0.2.7", item.GetProperty("clientAddress").GetString());
        Assert.Equal("field", item.GetProperty("attributes").GetProperty("k").GetString());
        Assert.Equal("v", item.GetProperty("attributes").GetProperty("é\u001b").GetString());
        Assert.Equal(
            ["k=field/field", "k=report/report", "é\u001b=v/query"],
            item.GetProperty("allAttributes").EnumerateArray().Select(attribute =>
                $"{attribute.GetProperty("name")}={attribute.GetProperty("value")}/{attribute.GetProperty("source")}"));
        Assert.Equal("report is gzip-compressed", item.GetProperty("notes")[0].GetString());
        var payloads = item.GetProperty("payloads");
        Assert.Equal(["0 report upload_file_minidump a.dmp", "1 attachment attachment_log /var/log/x.log"], payloads.EnumerateArray().Select(payload =>
            $"{payload.GetProperty("index")} {payload.GetProperty("kind")} {payload.GetProperty("name")} {payload.GetProperty("fileName")}"));
        Assert.Equal(Dump.Length, payloads[0].GetProperty("size").GetInt64());
        Assert.Equal(Convert.ToHexStringLower(XxHash128.Hash(Dump)), payloads[0].GetProperty("checksum").GetString());
        Assert.Equal("application/octet-stream", payloads[0].GetProperty("contentType").GetString());
        Assert.DoesNotContain(shown.Bytes, b => b >= 0x7F || (b < ' ' && b != '\n'));

        var listed = Assert.Single((await crashes.Run("list", "--json")).Json.EnumerateArray());
        Assert.True(JsonElement.DeepEquals(item, listed));
    }

    [Fact]
    public async Task An_empty_store_lists_as_an_empty_array()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        Assert.Equal("[]\n", (await crashes.Run("list", "--json")).Out);
        Assert.Single((await crashes.Run("list")).Lines);
    }

    [Fact]
    public async Task Show_takes_every_form_of_an_id_and_fails_for_what_is_not_there()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddAsync("p", TimeSpan.Zero, [], ("r", "", Dump));
        var id = (await crashes.Run("show", rxid, "--json")).Json.GetProperty("id").GetString()!;
        var zeroFilled = rxid[..8] + "-0000-0000-0000-000000000000";

        foreach (var form in (string[])[rxid, rxid.ToUpperInvariant(), zeroFilled, id])
        {
            Assert.Equal(rxid, (await crashes.Run("show", form, "--json")).Json.GetProperty("rxid").GetString());
        }

        var other = rxid[..9] + (rxid[9] == 'a' ? 'b' : 'a') + rxid[10..];
        foreach (var missing in (string[])["ffff", other])
        {
            var run = await crashes.Run("show", missing);
            Assert.Equal((1, "", $"There is no object {missing}.\n"), (run.Exit, run.Out, run.Error));
        }
    }

    [Fact]
    public async Task What_the_wire_sent_reaches_a_terminal_escaped()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddAsync(
            "p", TimeSpan.Zero, [(AttributeSource.Query, "version\u001b[2J", "\u202etxt\r\n[bold]x[/]")],
            ("r\u0007", "a\tb\u009b", Dump));

        foreach (var run in (CommandRun[])
            [
                await crashes.Run("list"), await crashes.RunOnTerminal("list"),
                await crashes.Run("show", rxid), await crashes.RunOnTerminal("show", rxid),
            ])
        {
            Assert.Equal(0, run.Exit);
            Assert.DoesNotContain(run.Out, c => c is '\u001b' or '\u0007' or '\u009b' or '\u202e' or '\r');
        }

        var shown = (await crashes.Run("show", rxid)).Out;
        Assert.Contains("version\\x1b[2J\t\\u202etxt\\r\\n[bold]x[/]\tquery", shown, StringComparison.Ordinal);
        Assert.Contains("\tr\\x07\ta\\tb\\x9b\t", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_to_standard_output_is_the_stored_bytes_and_nothing_else()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        foreach (var dump in (byte[][])[Dump, LargeDump])
        {
            var rxid = await crashes.AddAsync("p", TimeSpan.Zero, [], ("upload_file_minidump", "a.dmp", dump), ("attachment_log", "/var/x.log", Log));

            var report = await crashes.Run("export", rxid, "-o", "-");
            Assert.Equal((0, ""), (report.Exit, report.Error));
            Assert.Equal(dump, report.Bytes);
            Assert.Equal(dump, (await crashes.Run("export", rxid)).Bytes); // a pipe, not a terminal
            foreach (var name in (string[])["attachment_log", "log", "/var/x.log", "x.log", "1"])
            {
                Assert.Equal(Log, (await crashes.Run("export", rxid, "--part", name, "-o", "-")).Bytes);
            }

            var file = crashes.Beside("out.dmp");
            var toFile = await crashes.Run("export", rxid, "-o", file);
            Assert.Equal((0, ""), (toFile.Exit, toFile.Out));
            Assert.Equal(dump, File.ReadAllBytes(file));
        }
    }

    [Fact]
    public async Task Export_does_not_fill_a_terminal_with_bytes_unless_told_to()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddAsync("p", TimeSpan.Zero, [], ("r", "", Dump));

        Assert.Equal(2, (await crashes.RunOnTerminal("export", rxid)).Exit);
        Assert.Equal(Dump, (await crashes.RunOnTerminal("export", rxid, "-o", "-")).Bytes);
    }

    [Fact]
    public async Task Export_of_a_part_that_is_missing_or_ambiguous_says_so()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddAsync("p", TimeSpan.Zero, [], ("r", "", Dump), ("twice", "a", Log), ("twice", "b", Dump));

        var missing = await crashes.Run("export", rxid, "--part", "none\u001b", "-o", "-");
        Assert.Equal((1, "", $"Object {rxid} has no part 'none\\x1b'.\n"), (missing.Exit, missing.Out, missing.Error));
        var ambiguous = await crashes.Run("export", rxid, "--part", "twice", "-o", "-");
        Assert.Equal((1, "", $"Object {rxid} has 2 parts of this name: give the number of one (1, 2).\n"), (ambiguous.Exit, ambiguous.Out, ambiguous.Error));
        Assert.Equal(Dump, (await crashes.Run("export", rxid, "--part", "2", "-o", "-")).Bytes);
    }

    [Fact]
    public async Task Export_all_writes_every_report_by_its_rxid_and_the_rest_beside_it_under_safe_names()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var plain = await crashes.AddAsync("p", TimeSpan.Zero, [], ("r", "", LargeDump));
        var evil = await crashes.AddAsync(
            "p", TimeSpan.Zero, [], ("r", "../../report", Dump),
            ("attachment_a", "../../../tmp/evil", Log), ("attachment_b", "C:\\x\\evil", Dump), ("..", "..", Log), ("-rf", "", Log));
        var to = crashes.Beside("out");

        var run = await crashes.Run("export", "--all", "--to", to);

        Assert.Equal(0, run.Exit);
        Assert.Contains("2 objects: 6 parts", run.Out, StringComparison.Ordinal);
        Assert.Equal(
            ((string[])[plain, evil, $"{evil}.parts/evil", $"{evil}.parts/evil-2", $"{evil}.parts/part-3", $"{evil}.parts/_rf"]).Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(to, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(to, path)).Order(StringComparer.Ordinal));
        Assert.Equal(LargeDump, File.ReadAllBytes(Path.Combine(to, plain)));
        Assert.Equal(Dump, File.ReadAllBytes(Path.Combine(to, evil)));
        Assert.Equal(Dump, File.ReadAllBytes(Path.Combine(to, evil + ".parts", "evil-2")));

        // One part alone lies where the whole export put it, and a second export changes nothing.
        var again = crashes.Beside("again");
        Assert.Equal(0, (await crashes.Run("export", evil, "--part", "attachment_b", "--to", again)).Exit);
        Assert.Equal([$"{evil}.parts/evil-2"], Directory.EnumerateFiles(again, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(again, path)));
        Assert.Equal(0, (await crashes.Run("export", "--all", "--to", to)).Exit);
        Assert.Equal(6, Directory.EnumerateFiles(to, "*", SearchOption.AllDirectories).Count());
    }

    [Fact]
    public async Task No_name_that_a_sender_chooses_is_that_of_a_file_which_is_still_being_written()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddAsync(
            "p", TimeSpan.Zero, [], ("r", "", Dump), ("one", "a.partial", Log), ("two", ".a.partial", LargeDump), ("three", "a", Dump), ("four", "a.tmp", Log));
        var to = crashes.Beside("out");

        var run = await crashes.Run("export", rxid, "--to", to);

        Assert.Equal((0, ""), (run.Exit, run.Error));
        Assert.StartsWith("5 parts, ", run.Out, StringComparison.Ordinal);
        Assert.Equal(
            [("_a.partial", LargeDump.Length), ("a", Dump.Length), ("a.partial", Log.Length), ("a.tmp", Log.Length)],
            new DirectoryInfo(Path.Combine(to, rxid + ".parts")).EnumerateFiles().Select(file => (file.Name, (int)file.Length)).Order());
    }

    [Fact]
    public async Task Export_of_several_writes_those_it_finds_and_names_those_it_does_not()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddAsync("p", TimeSpan.Zero, [], ("r", "", Dump));
        var to = crashes.Beside("out");

        var run = await crashes.Run("export", "ffff", rxid, "--to", to);

        Assert.Equal((1, "There is no object ffff.\n"), (run.Exit, run.Error));
        Assert.Equal(Dump, File.ReadAllBytes(Path.Combine(to, rxid)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Export_of_damaged_bytes_writes_what_there_is_and_exits_1(bool large)
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var dump = large ? LargeDump : Dump;
        var rxid = await crashes.AddAsync("p", TimeSpan.Zero, [], ("r", "", dump));
        Overwrite(Holder(crashes, dump.AsSpan(5_000, 64)), dump.AsSpan(5_000, 64));

        var run = await crashes.Run("export", rxid, "-o", "-");

        Assert.Equal(1, run.Exit);
        Assert.Equal(dump.Length, run.Bytes.Length);
        Assert.Contains($"Part 0 of object {rxid} is damaged: its checksum is wrong.\n", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Backup_exits_1_and_names_what_was_not_there_to_be_copied()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        await crashes.AddAsync("p", TimeSpan.Zero, [], ("r", "", LargeDump));
        Assert.Equal(0, (await crashes.Run("backup", "--to", crashes.Beside("whole"))).Exit);

        var file = Assert.Single(Directory.EnumerateFiles(Path.Combine(crashes.Path, "files"), "*", SearchOption.AllDirectories));
        File.Delete(file);
        var run = await crashes.Run("backup", "--to", crashes.Beside("rest"));
        Assert.Equal((1, "1 file could not be copied whole and is named on standard error: the copy has everything else."), (run.Exit, run.Lines[^1]));
        Assert.Contains($"Missing: files/{Path.GetFileName(file)[..2]}/{Path.GetFileName(file)} of object 1: ", run.Error, StringComparison.Ordinal);
        Assert.Single((await CommandRun.Of("list", "--json", "--data", crashes.Beside("rest"))).Json.EnumerateArray());
    }

    [Fact]
    public async Task Verify_exits_0_for_what_is_whole_and_1_once_a_byte_is_wrong()
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        var rxid = await crashes.AddAsync("p", TimeSpan.Zero, [], ("r", "", LargeDump), ("attachment_log", "", Log));

        var whole = await crashes.Run("verify");
        Assert.Equal(0, whole.Exit);
        Assert.StartsWith("1 object, 2 payloads, ", whole.Out, StringComparison.Ordinal);

        var bytes = LargeDump.AsMemory(5_000, 64);
        Overwrite(Holder(crashes, bytes.Span), bytes.Span);
        var damaged = await crashes.Run("verify");
        Assert.Equal(1, damaged.Exit);
        Assert.Contains("1 place damaged.", damaged.Out, StringComparison.Ordinal);
        Assert.Equal((rxid, "0"), (damaged.Lines[2].Split('\t')[1], damaged.Lines[2].Split('\t')[2]));
    }

    [Fact]
    public async Task A_data_directory_without_a_store_is_said_to_be_one()
    {
        using var data = new FastListener.Tests.Tokens.DataDirectory();
        await CommandRun.Of("token", "add", "--data", data.Path, "--project", "p");
        var run = await CommandRun.Of("list", "--data", data.Path);

        Assert.Equal((1, ""), (run.Exit, run.Out));
        Assert.StartsWith($"There is no store in {data.Path}", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("list")]
    [InlineData("verify")]
    [InlineData("audit")]
    [InlineData("backup")]
    public async Task Packs_without_a_catalog_are_said_to_be_what_salvage_is_for(string verb)
    {
        using var data = new FastListener.Tests.Tokens.DataDirectory();
        Directory.CreateDirectory(data.File("packs"));
        var run = await CommandRun.Of([verb, "--data", data.Path, .. verb == "backup" ? new[] { "--to", data.File("copy") } : []]);

        Assert.Equal((1, "", $"{data.Path} has packs but no catalog: salvage can rebuild it.\n"), (run.Exit, run.Out, run.Error));
    }

    private static string Holder(StoredCrashes crashes, ReadOnlySpan<byte> bytes)
    {
        foreach (var room in (string[])["packs", "files"])
        {
            foreach (var path in Directory.EnumerateFiles(crashes.Beside(room), "*", SearchOption.AllDirectories))
            {
                if (Contains(path, bytes))
                {
                    return path;
                }
            }
        }

        throw new InvalidOperationException("The bytes are nowhere.");
    }

    private static bool Contains(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var content = new byte[file.Length];
        file.ReadExactly(content);
        return content.AsSpan().IndexOf(bytes) >= 0;
    }

    private static void Overwrite(string path, ReadOnlySpan<byte> bytes)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var content = new byte[file.Length];
        file.ReadExactly(content);
        file.Position = content.AsSpan().IndexOf(bytes);
        file.WriteByte((byte)~bytes[0]);
    }
}
