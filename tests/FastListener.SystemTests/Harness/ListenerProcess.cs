using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace FastListener.SystemTests.Harness;

/// <summary>A running <c>serve</c>, started as an operator starts it and known only by what it prints.</summary>
internal sealed partial class ListenerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(60);

    private const int SetFlags = 2; // F_SETFD
    private const int CloseOnExec = 1; // FD_CLOEXEC

    private readonly Process _process;
    private readonly StringBuilder _error = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _banner = [];

    private ListenerProcess(Process process) => _process = process;

    public int HttpPort { get; private set; }

    public int HttpsPort { get; private set; }

    /// <summary>The port that tells of health and figures; 0 when there is none.</summary>
    public int AdminPort { get; private set; }

    public int Pid => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Standard output up to and including <c>Ready</c>, line by line.</summary>
    public IReadOnlyList<string> Banner => _banner;

    public string StandardError
    {
        get
        {
            lock (_error)
            {
                return _error.ToString();
            }
        }
    }

    /// <summary>Starts <c>serve</c> on free ports of 127.0.0.1 and waits for its <c>Ready</c>.</summary>
    public static Task<ListenerProcess> StartAsync(string dataDirectory, params string[] more) =>
        StartProgramAsync(Repository.Program, dataDirectory, [], more);

    /// <summary>The same with another copy of the program, and variables for its environment.</summary>
    public static async Task<ListenerProcess> StartProgramAsync(
        string program, string dataDirectory, Dictionary<string, string> environment, params string[] more)
    {
        var start = StartInfo(
            "dotnet",
[program, "serve", "--data", dataDirectory, "--http", "127.0.0.1:0", "--https", "127.0.0.1:0", .. more]);
        start.Environment["FASTLISTENER_Listen__Admin"] = "127.0.0.1:0";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var listener = new ListenerProcess(new Process { StartInfo = start, EnableRaisingEvents = true });
        await listener.WaitUntilReadyAsync();
        return listener;
    }

    /// <summary>Starts <c>serve</c> where another one has listened before, at both its ports.</summary>
    public static async Task<ListenerProcess> StartAgainAsync(string dataDirectory, int httpPort, int httpsPort)
    {
        var start = StartInfo(
            "dotnet", [Repository.Program, "serve", "--data", dataDirectory, "--http", $"127.0.0.1:{httpPort}", "--https", $"127.0.0.1:{httpsPort}"]);
        start.Environment["FASTLISTENER_Listen__Admin"] = "127.0.0.1:0";
        var listener = new ListenerProcess(new Process { StartInfo = start, EnableRaisingEvents = true });
        await listener.WaitUntilReadyAsync();
        return listener;
    }

    /// <summary>A copy of the program below another one, which becomes it in the end.</summary>
    public static async Task<ListenerProcess> StartWithinAsync(string[] wrapper, string program, string dataDirectory)
    {
        var start = StartInfo(
            wrapper[0],
            [.. wrapper[1..], "dotnet", program, "serve", "--data", dataDirectory, "--http", "127.0.0.1:0", "--https", "127.0.0.1:0"]);
        start.Environment["FASTLISTENER_Listen__Admin"] = "127.0.0.1:0";
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // as in the unit
        var listener = new ListenerProcess(new Process { StartInfo = start, EnableRaisingEvents = true });
        await listener.WaitUntilReadyAsync();
        return listener;
    }

    /// <summary>Passes a listening socket on as systemd does (sd_listen_fds(3)): as descriptor 3. It stays the caller's, too.</summary>
    public static async Task<ListenerProcess> StartOnSocketAsync(string dataDirectory, Socket listening, bool secure = false, string transport = "own")
    {
        var start = StartInfo(
            "bash",
            [
                "-c",
                "exec 3<&$0 && export LISTEN_PID=$$ LISTEN_FDS=1 && exec dotnet \"$@\"",
                listening.Handle.ToString(CultureInfo.InvariantCulture), Repository.Program, "serve", "--data", dataDirectory,
            ]);
        start.Environment["LISTEN_FDNAMES"] = secure ? "https" : "http";
        start.Environment["FASTLISTENER_Listen__Transport"] = transport;
        start.Environment["FASTLISTENER_Listen__Admin"] = "127.0.0.1:0";
        var listener = new ListenerProcess(new Process { StartInfo = start, EnableRaisingEvents = true });
        _ = SetDescriptorFlags(listening.SafeHandle, SetFlags, 0); // not closed when the child begins
        await listener.WaitUntilReadyAsync();
        _ = SetDescriptorFlags(listening.SafeHandle, SetFlags, CloseOnExec);
        return listener;
    }

    /// <summary>SIGTERM, then the exit code.</summary>
    public async Task<int> StopAsync()
    {
        Signal(15);
        return await WaitForExitAsync();
    }

    /// <summary>SIGKILL: the process gets no chance to finish anything.</summary>
    public async Task KillAsync()
    {
        Signal(9);
        await WaitForExitAsync();
    }

    public void Signal(int signal)
    {
        if (!_process.HasExited && SendSignal(_process.Id, signal) != 0)
        {
            throw new InvalidOperationException($"kill({_process.Id}, {signal}) failed: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    public async Task<int> WaitForExitAsync()
    {
        using var limit = new CancellationTokenSource(StopLimit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"serve did not end within {StopLimit}.\n{StandardError}");
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Signal(9);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static ProcessStartInfo StartInfo(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        CleanEnvironment.Apply(start);
        return start;
    }

    private async Task WaitUntilReadyAsync()
    {
        _process.OutputDataReceived += (_, line) => ReadBanner(line.Data);
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_error)
            {
                _error.AppendLine(line.Data);
            }
        };
        _process.Start();
        _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();

        var exited = _process.WaitForExitAsync();
        var first = await Task.WhenAny(_ready.Task, exited, Task.Delay(StartLimit));
        if (first == _ready.Task)
        {
            return;
        }

        var banner = string.Join('\n', _banner);
        await DisposeAsync();
        throw new InvalidOperationException(
            $"serve {(first == exited ? "ended" : "never said Ready")}.\nstdout: {banner}\nstderr: {StandardError}");
    }

    private void ReadBanner(string? line)
    {
        if (line is null || _ready.Task.IsCompleted)
        {
            return;
        }

        _banner.Add(line);
        const string Http = "Listening on http://127.0.0.1:";
        const string Admin = "Health and metrics on http://127.0.0.1:";
        const string Https = "Listening on https://127.0.0.1:";
        if (line.StartsWith(Http, StringComparison.Ordinal))
        {
            HttpPort = int.Parse(line[Http.Length..], CultureInfo.InvariantCulture);
        }
        else if (line.StartsWith(Https, StringComparison.Ordinal))
        {
            HttpsPort = int.Parse(line[Https.Length..], CultureInfo.InvariantCulture);
        }
        else if (line.StartsWith(Admin, StringComparison.Ordinal))
        {
            AdminPort = int.Parse(line[Admin.Length..], CultureInfo.InvariantCulture);
        }
        else if (line == "Ready")
        {
            _ready.TrySetResult();
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int SetDescriptorFlags(SafeSocketHandle socket, int command, int flags);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int pid, int signal);
}
