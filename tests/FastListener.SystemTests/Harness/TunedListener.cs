namespace FastListener.SystemTests.Harness;

/// <summary>A listener with settings of its own, given as environment variables without their prefix: <c>Limits__MaxBodyBytes</c>.</summary>
internal sealed class TunedListener : IAsyncDisposable
{
    private readonly Dictionary<string, string> _settings;

    private readonly string[] _arguments;

    private TunedListener((string Name, string Value)[] settings, string[] arguments)
    {
        _settings = settings.ToDictionary(item => "FASTLISTENER_" + item.Name, item => item.Value);
        _arguments = arguments;
    }

    public DataDirectory Data { get; } = new();

    /// <summary>A token of project game with no limits of its own.</summary>
    public string Token { get; private set; } = "";

    public int Port => Process.HttpPort;

    public int AdminPort => Process.AdminPort;

    public ListenerProcess Process { get; private set; } = null!;

    public static Task<TunedListener> StartAsync(params (string Name, string Value)[] settings) => StartAsync(settings, []);

    /// <summary>The same with more on the command line.</summary>
    public static async Task<TunedListener> StartAsync((string Name, string Value)[] settings, params string[] arguments)
    {
        var server = new TunedListener(settings, arguments);
        server.Token = await server.Data.AddTokenAsync("game");
        await server.StartProcessAsync();
        return server;
    }

    /// <summary>Kills the process and starts another one on the same directory.</summary>
    public async Task KillAndStartAsync()
    {
        await Process.KillAsync();
        await Process.DisposeAsync();
        await StartProcessAsync();
    }

    /// <summary>A further token, which the running listener knows when this returns.</summary>
    public async Task<string> AddTokenAsync(string project, params string[] limits)
    {
        var token = Tokens.New();
        await Data.GrantLimitedAsync(project, token, limits);
        await Eventually.TrueAsync(
            () => Submit.Dump(Port, token, default).Status == 400, "The new token is known"); // 403 before; an empty body then
        return token;
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        Data.Dispose();
    }

    private async Task StartProcessAsync() =>
        Process = await ListenerProcess.StartProgramAsync(Repository.Program, Data.Location, _settings, _arguments);
}
