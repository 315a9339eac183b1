namespace FastListener.SystemTests.Harness;

/// <summary>One listener with the usual tokens, shared by the tests of a class.</summary>
public sealed class ListenerFixture : IAsyncLifetime
{
    internal DataDirectory Data { get; } = new();

    internal ListenerProcess Listener { get; private set; } = null!;

    /// <summary>Project game, capability error:post.</summary>
    internal string ErrorToken { get; } = Tokens.New();

    /// <summary>Project game, capability symbol:post.</summary>
    internal string SymbolToken { get; } = Tokens.New();

    /// <summary>Project game, capabilities error:post and sync:post.</summary>
    internal string SyncToken { get; } = Tokens.New();

    /// <summary>Project other, capability error:post.</summary>
    internal string OtherToken { get; } = Tokens.New();

    internal int HttpPort => Listener.HttpPort;

    internal int HttpsPort => Listener.HttpsPort;

    public async ValueTask InitializeAsync()
    {
        await Data.GrantAsync("game", ErrorToken, "error:post");
        await Data.GrantAsync("game", SymbolToken, "symbol:post");
        await Data.GrantAsync("game", SyncToken, "error:post", "sync:post");
        await Data.GrantAsync("other", OtherToken, "error:post");
        Listener = await ListenerProcess.StartAsync(Data.Location);
    }

    public async ValueTask DisposeAsync()
    {
        await Listener.DisposeAsync();
        Data.Dispose();
    }
}
