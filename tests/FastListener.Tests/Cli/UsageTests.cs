using FastListener.Cli;
using FastListener.Tests.Tokens;
using Xunit;

namespace FastListener.Tests.Cli;

public class UsageTests
{
    [Theory]
    [InlineData("")]
    [InlineData("serve")]
    [InlineData("token")]
    [InlineData("token add")]
    [InlineData("token list")]
    [InlineData("token set")]
    [InlineData("token disable")]
    [InlineData("token enable")]
    [InlineData("list")]
    [InlineData("show")]
    [InlineData("export")]
    [InlineData("verify")]
    [InlineData("audit")]
    [InlineData("salvage")]
    [InlineData("backup")]
    [InlineData("send")]
    public async Task Every_verb_has_help(string verb)
    {
        var run = await CommandRun.Of([.. verb.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);

        Assert.Equal(0, run.Exit);
        Assert.Contains("Usage:", run.Out, StringComparison.Ordinal);
        Assert.Equal("", run.Error);
    }

    [Theory]
    [InlineData("", "Required command was not provided.")]
    [InlineData("frobnicate", "Unrecognized command or argument 'frobnicate'.")]
    [InlineData("serve --port 1", "Unrecognized command or argument '--port'.")]
    [InlineData("list --limit x --since soon --attribute =v --bogus",
        "--limit takes a number of 0 or more, not 'x'.|--since takes a date, a time or a duration such as 15m, 2h or 7d, not 'soon'.|--attribute takes NAME=VALUE, not '=v'.|Unrecognized command or argument '--bogus'.")]
    [InlineData("token add --capability fly --universe a/b",
        "Option '--project' is required.|--universe contains a slash.|--capability knows error:post, symbol:post, sync:post, query:post, object:get, not 'fly'.")]
    [InlineData("token set abcd", "Option '--limit' is required.")]
    [InlineData("token set abcd --limit maxBody=1 --limit maxUploads=x --limit degrade=all --limit 7",
        "--limit knows maxBodyBytes, maxWireBytes, maxAttachments, maxAttachmentBytes, maxUploads, bytesPerSecond, burstBytes, requestSeconds, degrade, not 'maxBody'.|--limit maxUploads takes a whole number between 0 and 1000000, not 'x'.|--limit degrade is none, or of: without_attachments,metadata_only; not 'all'.|--limit takes KEY=VALUE, not '7'.")]
    [InlineData("show", "Required argument missing for command: 'show'.")]
    [InlineData("show not-an-id", "'not-an-id' is not an object's id: give its _rxid or its short hex id.")]
    [InlineData("export", "Say which object: an ID, or --all.")]
    [InlineData("export 1 --all --to x", "--all and an ID exclude each other.")]
    [InlineData("export 1 2 -o -", "Several objects need --to DIR.")]
    [InlineData("export 1 -o x --to y", "-o and --to exclude each other.")]
    [InlineData("export zz yy", "'zz' is not an object's id: give its _rxid or its short hex id.|'yy' is not an object's id: give its _rxid or its short hex id.|Several objects need --to DIR.")]
    [InlineData("export --all --part x", "Several objects need --to DIR.|--all writes every part: --part does not go with it.")]
    [InlineData("backup", "Option '--to' is required.")]
    [InlineData("send /no/such/file --url ftp://x --attach /nor/this --attr k",
        "There is no file '/no/such/file'.|--url takes an http or https URL.|There is no file '/nor/this'.|--attr takes NAME=VALUE, not 'k'.")]
    public async Task Wrong_usage_names_every_fault_and_exits_2(string line, string faults)
    {
        var run = await CommandRun.Of(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(2, run.Exit);
        Assert.Equal("", run.Out);
        Assert.All(faults.Split('|'), fault => Assert.Contains(fault + '\n', run.Error, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("token add --project p")]
    [InlineData("token list")]
    [InlineData("token set x --limit maxUploads=1")]
    [InlineData("token disable x")]
    [InlineData("token enable x")]
    [InlineData("list")]
    [InlineData("show 1")]
    [InlineData("export 1")]
    [InlineData("verify")]
    [InlineData("audit")]
    [InlineData("salvage")]
    [InlineData("backup --to x")]
    public async Task An_empty_data_directory_is_wrong_usage(string line)
    {
        var run = await CommandRun.Of([.. line.Split(' '), "--data", ""]);
        Assert.Equal((2, ""), (run.Exit, run.Out));
        Assert.StartsWith("--data takes a directory, not ''.\nSee: ", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("export 1 -o", "-o takes a file, not ''.")]
    [InlineData("export 1 --to", "--to takes a directory, not ''.")]
    [InlineData("export --all --to", "--to takes a directory, not ''.")]
    [InlineData("backup --to", "--to takes a directory, not ''.")]
    [InlineData("send", "There is no file ''.")]
    [InlineData("send LICENSE --url http://127.0.0.1:1 --attach", "There is no file ''.")]
    public async Task An_empty_path_is_wrong_usage(string line, string fault)
    {
        using var data = new DataDirectory();
        var run = await CommandRun.Of([.. line.Split(' '), "", .. line.StartsWith("send", StringComparison.Ordinal) ? Array.Empty<string>() : ["--data", data.Path]]);
        Assert.Equal((2, ""), (run.Exit, run.Out));
        Assert.Contains(fault + '\n', run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fault_that_quotes_the_command_line_is_harmless_on_a_terminal()
    {
        var run = await CommandRun.Of("show", "\u001b[2J");
        Assert.Contains("'\\x1b[2J' is not", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', run.Error);
    }

    [Theory]
    [InlineData("list")]
    [InlineData("show 1")]
    [InlineData("export 1 -o -")]
    [InlineData("export --all --to /tmp/never-made")]
    [InlineData("verify")]
    [InlineData("audit")]
    [InlineData("salvage")]
    [InlineData("backup --to /tmp/never-made")]
    [InlineData("token list")]
    [InlineData("token disable x")]
    [InlineData("token set x --limit maxUploads=1")]
    public async Task Without_a_data_directory_a_verb_fails_with_one_sentence_and_makes_none(string line)
    {
        using var data = new DataDirectory();
        var missing = data.File("missing");
        var run = await CommandRun.Of([.. line.Split(' '), "--data", missing]);

        Assert.Equal(1, run.Exit);
        Assert.Equal("", run.Out);
        Assert.Equal($"There is no data directory {missing}.\n", run.Error);
        Assert.False(Directory.Exists(missing));
    }

    [Fact]
    public async Task Serve_is_handed_what_was_said_and_its_exit_code_is_ours()
    {
        ServeArguments? seen = null;
        Task<int> Serve(ServeArguments arguments, CancellationToken cancel)
        {
            seen = arguments;
            return Task.FromResult(7);
        }

        Assert.Equal(7, (await CommandRun.Run(["serve", "--data", "d", "--http", "127.0.0.1:0", "--https=off", "--admin", "127.0.0.1:1"], false, Serve)).Exit);
        Assert.Equal(new ServeArguments("d", "127.0.0.1:0", "off", "127.0.0.1:1"), seen);

        await CommandRun.Run(["serve"], false, Serve);
        Assert.Equal(new ServeArguments(null, null, null), seen);
    }

    [Fact]
    public async Task What_serve_cannot_do_is_said_in_one_sentence()
    {
        var run = await CommandRun.Run(["serve"], false, (_, _) => throw new IOException("The disk is gone."));
        Assert.Equal((1, "The disk is gone.\n"), (run.Exit, run.Error));
    }
}
