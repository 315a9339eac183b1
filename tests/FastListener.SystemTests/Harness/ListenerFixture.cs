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
        await Data.AddTokenAsync("game", ErrorToken, "error:post");
        await Data.AddTokenAsync("game", SymbolToken, "symbol:post");
        await Data.AddTokenAsync("game", SyncToken, "error:post", "sync:post");
        await Data.AddTokenAsync("other", OtherToken, "error:post");
        Listener = await ListenerProcess.StartAsync(Data.Location);
    }

    public async ValueTask DisposeAsync()
    {
        await Listener.DisposeAsync();
        Data.Dispose();
    }
}
