using System.Diagnostics;
using FastListener.Cli;
using FastListener.Tests.Tokens;
using FastListener.Tokens;
using Xunit;

namespace FastListener.Tests.Cli;

public sealed class TokenCommandTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Add_makes_the_directory_and_prints_the_token_and_nothing_else()
    {
        var inside = _data.File("new");
        var run = await CommandRun.Of("token", "add", "--data", inside, "--project", "crashes");

        Assert.Equal(0, run.Exit);
        Assert.Matches("^[0-9a-f]{64}\n$", run.Out);
        Assert.Equal("Added: error:post in local/crashes.\n", run.Error);
        var token = Assert.Single(TokenFile.Read(inside).Tokens);
        Assert.Equal(run.Out.TrimEnd(), token.Token.Reveal());
        Assert.Equal(Capabilities.ErrorPost, token.Capabilities);
        Assert.Equal(CommandRun.Now, token.CreatedAt);
    }

    [Fact]
    public async Task Add_takes_every_choice()
    {
        var run = await CommandRun.Of(
            "token", "add", "--data", _data.Path, "--project", "p", "--universe", "u", "--token", "@my own", "--capability", "symbol:post", "--capability", "sync:post");

        Assert.Equal((0, "@my own\n"), (run.Exit, run.Out));
        var token = Assert.Single(TokenFile.Read(_data.Path).Tokens);
        Assert.Equal(("u", "p", Capabilities.SymbolPost | Capabilities.SyncPost), (token.Universe, token.Project, token.Capabilities));
    }

    [Fact]
    public async Task The_same_token_is_not_added_twice()
    {
        await CommandRun.Of("token", "add", "--data", _data.Path, "--project", "p", "--token", "0123456789abcdef");
        var again = await CommandRun.Of("token", "add", "--data", _data.Path, "--project", "q", "--token", "0123456789abcdef");

        Assert.Equal((1, "", "The token 0123…ef exists already.\n"), (again.Exit, again.Out, again.Error));
        Assert.Equal("p", Assert.Single(TokenFile.Read(_data.Path).Tokens).Project);
    }

    [Fact]
    public async Task List_masks_tokens_unless_told_to_reveal_them()
    {
        const string token = "0123456789abcdef0123456789abcdef";
        await CommandRun.Of("token", "add", "--data", _data.Path, "--project", "p", "--token", token);

        foreach (var run in (CommandRun[])
            [
                await CommandRun.Of("token", "list", "--data", _data.Path),
                await CommandRun.OnTerminal("token", "list", "--data", _data.Path),
                await CommandRun.Of("token", "list", "--data", _data.Path, "--json"),
            ])
        {
            Assert.Equal(0, run.Exit);
            Assert.DoesNotContain(token, run.Out, StringComparison.Ordinal);
            Assert.Contains("error:post", run.Out, StringComparison.Ordinal);
        }

        Assert.Contains(token, (await CommandRun.Of("token", "list", "--data", _data.Path, "--reveal")).Out, StringComparison.Ordinal);
        var json = (await CommandRun.Of("token", "list", "--data", _data.Path, "--json")).Json;
        Assert.Equal("0123…ef", json[0].GetProperty("token").GetString());
        Assert.True(json[0].GetProperty("enabled").GetBoolean());
        Assert.Equal(new TokenSecret(token).Key, json[0].GetProperty("key").GetString());
    }

    [Fact]
    public async Task Limits_are_given_changed_shown_and_dropped_again()
    {
        await CommandRun.Of(
            "token", "add", "--data", _data.Path, "--project", "p", "--token", "0123456789abcdef",
            "--limit", "maxBodyBytes=1000", "--limit", "degrade=without_attachments,metadata_only");
        Assert.Contains("maxBodyBytes=1000 degrade=without_attachments,metadata_only", (await CommandRun.Of("token", "list", "--data", _data.Path)).Out, StringComparison.Ordinal);

        var set = await CommandRun.Of("token", "set", "0123", "--data", _data.Path, "--limit", "maxBodyBytes=", "--limit", "maxUploads=0");
        Assert.Equal((0, "0123…ef in local/p: maxUploads=0 degrade=without_attachments,metadata_only.\n"), (set.Exit, set.Out));
        var json = (await CommandRun.Of("token", "list", "--data", _data.Path, "--json")).Json[0].GetProperty("limits");
        Assert.Equal("""{"maxUploads":0,"degrade":["without_attachments","metadata_only"]}""", System.Text.Json.JsonSerializer.Serialize(json));

        var none = await CommandRun.Of("token", "set", "0123", "--data", _data.Path, "--limit", "maxUploads=", "--limit", "degrade=");
        Assert.Equal("0123…ef in local/p: no limits of its own.\n", none.Out);
        Assert.Null(TokenFile.Read(_data.Path).Tokens[0].Limits);
    }

    [Theory]
    [InlineData("0123456789abcdef0123456789abcdef")]
    [InlineData("0123")]
    [InlineData("0123…ef")]
    public async Task A_token_is_disabled_and_enabled_by_enough_of_it(string text)
    {
        await CommandRun.Of("token", "add", "--data", _data.Path, "--project", "p", "--token", "0123456789abcdef0123456789abcdef");
        await CommandRun.Of("token", "add", "--data", _data.Path, "--project", "p", "--token", "another one");

        Assert.Equal("0123…ef in local/p is now disabled.\n", (await CommandRun.Of("token", "disable", text, "--data", _data.Path)).Out);
        Assert.Equal("0123…ef in local/p was already disabled.\n", (await CommandRun.Of("token", "disable", text, "--data", _data.Path)).Out);
        Assert.Equal([false, true], TokenFile.Read(_data.Path).Tokens.Select(token => token.Enabled));
        Assert.Equal("0123…ef in local/p is now enabled.\n", (await CommandRun.Of("token", "enable", text, "--data", _data.Path)).Out);
        Assert.All(TokenFile.Read(_data.Path).Tokens, token => Assert.True(token.Enabled));
    }

    [Fact]
    public async Task A_token_is_disabled_by_its_key()
    {
        await CommandRun.Of("token", "add", "--data", _data.Path, "--project", "p", "--token", "some token");
        var run = await CommandRun.Of("token", "disable", new TokenSecret("some token").Key, "--data", _data.Path);

        Assert.Equal(0, run.Exit);
        Assert.False(TokenFile.Read(_data.Path).Tokens[0].Enabled);
    }

    [Theory]
    [InlineData("012", "There is no such token.\n")]
    [InlineData("9999", "There is no such token.\n")]
    [InlineData("01234", "2 tokens begin like this: give more of the one that is meant, or its key.\n")]
    public async Task What_names_no_token_or_several_changes_nothing(string text, string error)
    {
        await CommandRun.Of("token", "add", "--data", _data.Path, "--project", "p", "--token", "0123456789abcdef");
        await CommandRun.Of("token", "add", "--data", _data.Path, "--project", "p", "--token", "0123456789abcdee");
        var run = await CommandRun.Of("token", "disable", text, "--data", _data.Path);

        Assert.Equal((1, "", error), (run.Exit, run.Out, run.Error));
        Assert.All(TokenFile.Read(_data.Path).Tokens, token => Assert.True(token.Enabled));
    }

    [Fact]
    public async Task A_file_with_faults_is_named_with_all_of_them_and_exits_2()
    {
        _data.WriteTokens("""{"tokens":[{"token":"0123456789abcdef","capabilities":["all"]}]}""");
        var run = await CommandRun.Of("token", "list", "--data", _data.Path);

        Assert.Equal(2, run.Exit);
        Assert.Contains("unknown capability \"all\"", run.Error, StringComparison.Ordinal);
        Assert.Contains("\"project\" is missing", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789abcdef", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_from_the_file_reach_no_terminal_raw()
    {
        _data.WriteTokens("""{"tokens":[{"token":"0123456789abcdef","universe":"u","project":"a\u202eb"}]}""");
        var run = await CommandRun.OnTerminal("token", "list", "--data", _data.Path);

        Assert.Equal(0, run.Exit);
        Assert.Contains("a\\u202eb", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain('\u202e', run.Out);
    }

    [Fact]
    public async Task Processes_that_edit_at_once_lose_no_edit()
    {
        const int processes = 4;
        var program = Path.Combine(AppContext.BaseDirectory, "fastlistener.dll");
        var started = Enumerable.Range(0, processes).Select(i => Process.Start(new ProcessStartInfo(
            Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet",
            [program, "token", "add", "--data", _data.Path, "--project", $"p{i}", "--token", $"token of process {i}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!).ToList();

        // And this process, meanwhile.
        for (var i = 0; i < 10; i++)
        {
            TokenFile.Edit(_data.Path, document => document.With(new(TokenSecret.CreateRandom(), "local", "here", Capabilities.ErrorPost)));
        }

        foreach (var process in started)
        {
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, await process.StandardError.ReadToEndAsync());
            process.Dispose();
        }

        var tokens = TokenFile.Read(_data.Path).Tokens;
        Assert.Equal(processes + 10, tokens.Length);
        Assert.All(Enumerable.Range(0, processes), i => Assert.Contains(tokens, token => token.Token.Reveal() == $"token of process {i}"));
    }
}
