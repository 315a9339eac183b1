using System.Text;
using FastListener.SystemTests.Corpus;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>The verbs that look at what is stored, while the listener runs.</summary>
public sealed class CommandLineTests(ListenerFixture server) : IClassFixture<ListenerFixture>
{
    [Fact]
    public async Task Export_takes_every_form_of_an_id_and_prints_nothing_but_the_bytes()
    {
        var rxid = Submit.Dump(server.HttpPort, server.ErrorToken, Repository.CrashpadDump).ReceiptOf();
        foreach (var id in new[] { rxid, ReceiptForms.ZeroFilled(rxid), ReceiptForms.ShortHex(rxid) })
        {
            var run = (await RunAsync("export", id, "-o", "-")).Expect();
            Assert.Equal(Repository.Sha256(Repository.CrashpadDump), Repository.Sha256(run.OutputBytes));
        }

        var file = server.Data.Scratch("one.dmp");
        (await RunAsync("export", rxid, "-o", file)).Expect();
        Assert.Equal(Repository.Sha256(Repository.CrashpadDump), Repository.Sha256OfFile(file));
    }

    [Fact]
    public async Task An_export_that_is_killed_leaves_nothing_that_looks_whole()
    {
        var large = Submit.MadeDump(5, 3_000_000);
        var rxid = Submit.Dump(server.HttpPort, server.ErrorToken, large).ReceiptOf();
        var folder = Directory.CreateDirectory(server.Data.Scratch("cut")).FullName;
        var older = Path.Combine(folder, "older.dmp");
        await File.WriteAllTextAsync(older, "as it was", TestContext.Current.CancellationToken);
        foreach (var target in new[] { older, Path.Combine(folder, "new.dmp") })
        {
            // The kernel kills it (SIGXFSZ) when a file of its grows beyond 2,048 KiB; the one that the runtime keeps its code in would be the first.
            (await Command.BashAsync(
                $"export DOTNET_EnableWriteXorExecute=0; ulimit -f 2048; dotnet {Repository.Program} export {rxid} --data {server.Data.Location} -o {target}")).Expect(128 + 25);
        }

        Assert.Equal(
            [(".new.dmp.partial", 2048 * 1024), (".older.dmp.partial", 2048 * 1024), ("older.dmp", 9)],
            new DirectoryInfo(folder).EnumerateFiles().Select(file => (file.Name, (int)file.Length)).Order());
        Assert.Equal("as it was", await File.ReadAllTextAsync(older, TestContext.Current.CancellationToken));
        (await RunAsync("export", rxid, "-o", older)).Expect();
        Assert.Equal(Repository.Sha256(large), Repository.Sha256OfFile(older));
        Assert.False(File.Exists(Path.Combine(folder, ".older.dmp.partial")));
    }

    [Fact]
    public async Task Export_writes_to_pipes_devices_and_links_as_they_are()
    {
        var rxid = Submit.Dump(server.HttpPort, server.ErrorToken, Repository.BreakpadDump).ReceiptOf();
        var folder = Directory.CreateDirectory(server.Data.Scratch("special")).FullName;
        var export = $"dotnet {Repository.Program} export {rxid} --data {server.Data.Location}";
        var run = (await Command.BashAsync(
            $"""
            set -e
            # Links of its own to what is the machine's: an export that replaced the name would do so here, not in /dev.
            ln -s file link; ln -s /proc/self/fd/1 stdout; ln -s /dev/null null
            mkfifo pipe; echo old > kept; chmod 640 kept
            {export} -o stdout | cat > piped
            timeout 60 cat pipe > fifo & {export} -o pipe; wait
            {export} -o link; {export} -o kept; {export} -o null
            stat -c %a kept; test -L link -a -L stdout -a -L null -a -p pipe
            """, folder)).Expect();
        Assert.Equal("640\n", run.Output); // whoever might read the old one may read the new one
        Assert.All(["piped", "fifo", "file", "kept"], name => Assert.Equal(Repository.Sha256(Repository.BreakpadDump), Repository.Sha256OfFile(Path.Combine(folder, name))));
    }

    [Fact]
    public async Task Export_writes_several_objects_with_their_attachments_into_a_directory()
    {
        var receipts = new List<string>();
        for (var seed = 1; seed <= 3; seed++)
        {
            using var client = RawClient.Connect(server.HttpPort);
            client.Send(Submit.FormRequest(server.ErrorToken, Submit.MadeDump(seed, 5000), "a.log", Encoding.ASCII.GetBytes($"log {seed}")));
            receipts.Add(client.ReadReply().ReceiptOf());
        }

        var folder = server.Data.Scratch("several");
        (await RunAsync(["export", .. receipts, "--to", folder])).Expect();
        for (var seed = 1; seed <= 3; seed++)
        {
            Assert.Equal(Repository.Sha256(Submit.MadeDump(seed, 5000)), Repository.Sha256OfFile(Path.Combine(folder, receipts[seed - 1])));
            Assert.Equal($"log {seed}", await File.ReadAllTextAsync(Path.Combine(folder, receipts[seed - 1] + ".parts", "a.log"), TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("show")]
    [InlineData("export")]
    public async Task An_id_that_nobody_has_is_said_and_ends_with_1(string verb)
    {
        var run = await RunAsync([verb, "fffffff0", .. verb == "export" ? new[] { "-o", "-" } : []]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("fffffff0", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.OutputBytes);
    }

    [Fact]
    public async Task List_filters_by_project_attribute_time_and_number()
    {
        Submit.Dump(server.HttpPort, server.OtherToken, Repository.BreakpadDump, "&kind=a").ReceiptOf();
        Submit.Dump(server.HttpPort, server.OtherToken, Repository.BreakpadDump, "&kind=b").ReceiptOf();
        var newest = Submit.Dump(server.HttpPort, server.OtherToken, Repository.BreakpadDump, "&kind=b").ReceiptOf();

        Assert.Equal(3, await CountAsync("--project", "other"));
        Assert.Equal(2, await CountAsync("--project", "other", "--attribute", "kind=b"));
        Assert.Equal(0, await CountAsync("--project", "other", "--attribute", "kind=c"));
        Assert.Equal(3, await CountAsync("--project", "other", "--since", "1h"));
        Assert.Equal(0, await CountAsync("--project", "other", "--since", "2999-01-01"));
        Assert.Equal(1, await CountAsync("--project", "other", "--limit", "1"));
        var text = (await RunAsync("list", "--project", "other", "--limit", "1")).Expect().Output;
        Assert.Contains(newest, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_tells_a_person_attributes_payloads_and_checksums()
    {
        var rxid = Submit.Dump(server.HttpPort, server.ErrorToken, Repository.BreakpadDump, "&version=7.7").ReceiptOf();
        var text = (await RunAsync("show", rxid)).Expect().Output;
        Assert.Contains(rxid, text, StringComparison.Ordinal);
        Assert.Contains("version", text, StringComparison.Ordinal);
        Assert.Contains("7.7", text, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1", text, StringComparison.Ordinal);
        Assert.Matches("[0-9a-f]{32}", text);
    }

    [Fact]
    public async Task Control_characters_from_the_wire_never_reach_the_terminal()
    {
        var rxid = Submit.Dump(server.HttpPort, server.ErrorToken, Repository.BreakpadDump, "&evil=%1B%5B2Jgone%07&na%0Ame=x").ReceiptOf();
        var output = (await RunAsync("show", rxid)).Expect().OutputBytes;
        Assert.DoesNotContain((byte)0x1B, output);
        Assert.DoesNotContain((byte)0x07, output);
    }

    [Fact]
    public async Task Send_submits_as_a_client_would_and_prints_the_reply()
    {
        var url = $"http://127.0.0.1:{server.HttpPort}/post?format=minidump&token={server.ErrorToken}";
        var log = server.Data.Scratch("sent.log");
        await File.WriteAllTextAsync(log, "sent", TestContext.Current.CancellationToken);
        var sent = await Command.FastListenerAsync("send", Repository.BreakpadDumpPath, "--url", url, "--attr", "version=1.0", "--attach", log);
        var rxid = new RawReply(200, "", []) { Body = sent.Expect().Output }.Rxid;
        var stored = await server.Data.ShowAsync(rxid);
        Assert.Equal("1.0", stored.Attributes["version"]);
        Assert.Equal(["sent.log"], stored.Attachments.Select(payload => payload.Name));
        Assert.Equal(Repository.Sha256(Repository.BreakpadDump), Repository.Sha256(await server.Data.ExportAsync(rxid)));

        var refused = await Command.FastListenerAsync("send", Repository.BreakpadDumpPath, "--url", url + "x");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("invalid token", refused.Output + refused.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/dev/full", "Standard output: No space left on device")]
    [InlineData("&-", "Standard output: Bad file descriptor")]
    public async Task Output_that_cannot_be_written_is_one_sentence_and_exit_1(string target, string sentence)
    {
        var rxid = Submit.Dump(server.HttpPort, server.ErrorToken, Repository.BreakpadDump).ReceiptOf();
        foreach (var verb in new[] { "list", "list --json", $"show {rxid}", $"export {rxid}", "token list", "audit", "--help" })
        {
            var data = verb == "--help" ? "" : $"--data {server.Data.Location}";
            var run = await Command.BashAsync($"dotnet {Repository.Program} {verb} {data} >{target}");
            Assert.Equal(sentence, run.Expect(1).Error.TrimEnd('\n').Split('\n')[^1]); // behind an audit's progress
        }
    }

    [Fact]
    public async Task What_nobody_can_be_told_changes_no_exit_code()
    {
        (await Command.BashAsync($"dotnet {Repository.Program} verify --data {server.Data.Location} 2>/dev/full")).Expect();
        (await Command.BashAsync($"dotnet {Repository.Program} show fffffff0 --data {server.Data.Location} 2>/dev/full")).Expect(1);
        (await Command.BashAsync($"dotnet {Repository.Program} frobnicate 2>/dev/full")).Expect(2);
    }

    [Theory]
    [InlineData("list")]
    [InlineData("serve")]
    public async Task An_empty_variable_is_no_data_directory(string verb)
    {
        var run = await Command.BashAsync($"FASTLISTENER_Data= dotnet {Repository.Program} {verb}");
        Assert.StartsWith("FASTLISTENER_Data takes a directory, not ''.\n", run.Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_says_why_no_answer_came()
    {
        var plain = await SendAsync($"http://127.0.0.1:{server.HttpsPort}/post?format=minidump&token={server.ErrorToken}", Repository.BreakpadDumpPath);
        Assert.StartsWith($"There was no answer from 127.0.0.1:{server.HttpsPort}: ", plain, StringComparison.Ordinal);
        Assert.DoesNotContain("An error occurred", plain, StringComparison.Ordinal);

        var tls = await SendAsync($"https://127.0.0.1:{server.HttpPort}/post?format=minidump&token={server.ErrorToken}", Repository.BreakpadDumpPath);
        Assert.StartsWith($"There is no TLS with 127.0.0.1:{server.HttpPort}: ", tls, StringComparison.Ordinal);
        Assert.DoesNotContain("inner exception", tls, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_prints_the_refusal_of_a_file_larger_than_what_a_refusal_waits_for()
    {
        var large = server.Data.Scratch("large.dmp");
        await using (var file = new FileStream(large, FileMode.Create))
        {
            file.SetLength(300L * 1024 * 1024);
        }

        var run = await SendAsync($"http://127.0.0.1:{server.HttpPort}/post?format=minidump&token={Tokens.New()}", large);
        Assert.Equal("The listener did not accept it: status 403.\n", run);
    }

    [Fact]
    public async Task A_backup_of_a_running_listener_verifies_and_serves_elsewhere()
    {
        var large = Submit.MadeDump(9, 2_000_000);
        var receipts = new[]
        {
            (Submit.Dump(server.HttpPort, server.ErrorToken, Repository.BreakpadDump).ReceiptOf(), Repository.Sha256(Repository.BreakpadDump)),
            (Submit.Dump(server.HttpPort, server.ErrorToken, large).ReceiptOf(), Repository.Sha256(large)),
        };
        var settings = Path.Combine(server.Data.Location, "appsettings.json");
        await File.WriteAllTextAsync(settings, """{ "Limits": { "MaxBodyBytes": 1000000 } }""", TestContext.Current.CancellationToken);
        var target = server.Data.Scratch("backup");
        (await RunAsync("backup", "--to", target)).Expect();

        using var copy = new DataDirectory(target);
        await copy.AssertSoundAsync();
        await using var elsewhere = await ListenerProcess.StartAsync(copy.Location);
        foreach (var (rxid, hash) in receipts)
        {
            Assert.Equal(hash, Repository.Sha256(await copy.ExportAsync(rxid)));
        }

        File.Delete(settings);
        Assert.Equal(200, Submit.Dump(elsewhere.HttpPort, server.ErrorToken, Repository.BreakpadDump).Status);
        Assert.Equal(413, Submit.Dump(elsewhere.HttpPort, server.ErrorToken, large).Status); // under the same settings
    }

    private Task<CommandResult> RunAsync(params string[] arguments) =>
        Command.FastListenerAsync([arguments[0], "--data", server.Data.Location, .. arguments[1..]]);

    /// <summary>What a send that must fail complains of.</summary>
    private static async Task<string> SendAsync(string url, string file) =>
        (await Command.FastListenerAsync("send", file, "--url", url)).Expect(1).Error;

    private async Task<int> CountAsync(params string[] filter)
    {
        var run = (await RunAsync(["list", "--json", .. filter])).Expect();
        using var json = System.Text.Json.JsonDocument.Parse(run.OutputBytes);
        return json.RootElement.GetArrayLength();
    }
}
