using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>Tokens of a running listener.</summary>
public sealed class TokenTests(ListenerFixture server) : IClassFixture<ListenerFixture>
{
    [Fact]
    public async Task A_token_added_while_the_listener_runs_takes_effect_and_a_disabled_one_ends()
    {
        var token = await server.Data.AddTokenAsync("newproject");
        await Eventually.TrueAsync(() => Status(token) == 200, "the new token is taken");
        (await Command.FastListenerAsync("token", "disable", token, "--data", server.Data.Location)).Expect();
        await Eventually.TrueAsync(() => Status(token) == 403, "the disabled token is refused");
        Assert.Equal(200, Status(server.ErrorToken));
    }

    [Fact]
    public async Task A_token_file_that_cannot_be_read_keeps_the_old_table()
    {
        var file = Path.Combine(server.Data.Location, "tokens.json");
        var good = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(file, "{ not json", TestContext.Current.CancellationToken);
        try
        {
            await Eventually.TrueAsync(
                () => server.Listener.StandardError.Contains("token", StringComparison.OrdinalIgnoreCase), "the listener says that the file is bad");
            Assert.Equal(200, Status(server.ErrorToken));
        }
        finally
        {
            await File.WriteAllBytesAsync(file, good, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task No_token_ever_appears_in_the_log()
    {
        Status(server.ErrorToken);
        Status(server.ErrorToken[..63]);
        Status("0123456789wrong");
        await Eventually.TrueAsync(() => true, "");
        Assert.DoesNotContain(server.ErrorToken, server.Listener.StandardError, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789wrong", server.Listener.StandardError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_list_of_tokens_shows_projects_and_capabilities()
    {
        var list = (await Command.FastListenerAsync("token", "list", "--data", server.Data.Location)).Expect().Output;
        Assert.Contains("game", list, StringComparison.Ordinal);
        Assert.Contains("symbol:post", list, StringComparison.Ordinal);
    }

    private int Status(string token) => Submit.Dump(server.HttpPort, token, Repository.BreakpadDump).Status;
}
