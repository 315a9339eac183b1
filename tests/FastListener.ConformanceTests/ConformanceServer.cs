using FastListener.SystemTests.Harness;

namespace FastListener.ConformanceTests;

/// <summary>One listener with the two tokens of the corpus. They are short, so that cutting at every byte cuts mostly elsewhere.</summary>
internal sealed class ConformanceServer : IAsyncDisposable
{
    /// <summary>Capability error:post. Its length is what the exact limits in 11-limits count with.</summary>
    public const string Token = "t0ken1";

    /// <summary>Capability symbol:post.</summary>
    public const string SymbolToken = "t0ken2";

    public DataDirectory Data { get; } = new();

    public ListenerProcess Listener { get; private set; } = null!;

    public static async Task<ConformanceServer> StartAsync(string transport = "own")
    {
        var server = new ConformanceServer();
        await server.Data.GrantAsync("game", Token, "error:post");
        await server.Data.GrantAsync("game", SymbolToken, "symbol:post");
        var settings = new Dictionary<string, string> { ["FASTLISTENER_Listen__Transport"] = transport };
        if (Delivery.CutsEverywhere)
        {
            // 60,000 pieces, each waited for, may take a busy machine more than half a minute: no case is about time.
            settings["FASTLISTENER_Deadlines__HeadSeconds"] = "3600";
            settings["FASTLISTENER_Deadlines__TokenSeconds"] = "3600";
            settings["FASTLISTENER_Deadlines__MinBodyBytesPerSecond"] = "0";
        }

        server.Listener = await ListenerProcess.StartProgramAsync(Repository.Program, server.Data.Location, settings);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await Listener.DisposeAsync();
        Data.Dispose();
    }
}
