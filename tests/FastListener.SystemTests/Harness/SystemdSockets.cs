using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FastListener.SystemTests.Harness;

/// <summary>
/// systemd's own tool binds the sockets, names them as the shipped units do, and passes them on when the first client comes. What it passes them to starts
/// <c>serve</c> again whenever it has ended, and holds the sockets open meanwhile, as the service manager does with <c>Restart=always</c>.
/// </summary>
internal sealed partial class SystemdSockets : IAsyncDisposable
{
    public const string Tool = "systemd-socket-activate";

    private const string RestartAlways = """
        while [ ! -e "$1" ]; do
            (echo "Started $BASHPID"; LISTEN_PID=$BASHPID exec dotnet "${@:2}")
            echo "Ended $?"
        done
        """;

    private static readonly string[] s_units = ["fastlistener.socket", "fastlistener-tls.socket"];

    private readonly Process _tool;
    private readonly string _stop;
    private readonly List<string> _said = [];
    private readonly List<string> _log = [];

    private SystemdSockets(Process tool, string stop, int[] ports) => (_tool, _stop, HttpPort, HttpsPort) = (tool, stop, ports[0], ports[1]);

    public int HttpPort { get; }

    public int HttpsPort { get; }

    /// <summary>Process ids of every <c>serve</c> so far.</summary>
    public IReadOnlyList<int> Started => Words("Started ");

    /// <summary>Exit codes of those that have ended.</summary>
    public IReadOnlyList<int> Ended => Words("Ended ");

    /// <summary>How many have become ready.</summary>
    public int Ready => Said(line => line == "Ready").Count;

    public string Log
    {
        get
        {
            lock (_said)
            {
                return string.Join('\n', [.. _said, .. _log]);
            }
        }
    }

    /// <summary>Binds both sockets; <c>serve</c> begins when a client connects.</summary>
    public static async Task<SystemdSockets> ListenAsync(DataDirectory data)
    {
        var ports = FreePorts(s_units.Length);
        var stop = data.Scratch("stop");
        var start = new ProcessStartInfo(Tool,
            [
                .. ports.Select(port => $"--listen=127.0.0.1:{port}"), $"--fdname={string.Join(':', s_units.Select(NameIn))}", "--setenv=FASTLISTENER_Listen__Admin=off",
                "bash", "-c", RestartAlways, "bash", stop, Repository.Program, "serve", "--data", data.Location,
            ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        CleanEnvironment.Apply(start);
        var sockets = new SystemdSockets(new Process { StartInfo = start }, stop, ports);
        sockets._tool.OutputDataReceived += (_, line) => sockets.Keep(sockets._said, line.Data);
        sockets._tool.ErrorDataReceived += (_, line) => sockets.Keep(sockets._log, line.Data);
        sockets._tool.Start();
        sockets._tool.StandardInput.Close();
        sockets._tool.BeginOutputReadLine();
        sockets._tool.BeginErrorReadLine();
        await Eventually.TrueAsync(
            () => sockets.Log.Contains($"Listening on 127.0.0.1:{ports[^1]} as {3 + ports.Length - 1}.", StringComparison.Ordinal), "systemd's tool listens");
        return sockets;
    }

    /// <summary>SIGTERM to the <c>serve</c> that runs, and its exit code. Another one is started at once.</summary>
    public async Task<int> RestartAsync()
    {
        var before = Ended.Count;
        SendSignal(Started[^1], 15);
        await Eventually.TrueAsync(() => Ended.Count > before, "serve ends", TimeSpan.FromSeconds(60));
        return Ended[before];
    }

    /// <summary>Ends <c>serve</c> for good.</summary>
    public Task<int> StopAsync()
    {
        File.WriteAllText(_stop, "");
        return RestartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_tool.HasExited)
        {
            _tool.Kill(entireProcessTree: true);
        }

        await _tool.WaitForExitAsync();
        _tool.Dispose();
    }

    /// <summary>The name by which <c>serve</c> knows what to speak.</summary>
    private static string NameIn(string unit) => File.ReadLines(Path.Combine(Repository.Root, "src", "packaging", unit))
        .Single(line => line.StartsWith("FileDescriptorName=", StringComparison.Ordinal)).Split('=')[1];

    private static int[] FreePorts(int count)
    {
        var sockets = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        sockets.ForEach(socket => socket.Start());
        int[] ports = [.. sockets.Select(socket => ((IPEndPoint)socket.LocalEndpoint).Port)];
        sockets.ForEach(socket => socket.Dispose());
        return ports;
    }

    private void Keep(List<string> lines, string? line)
    {
        lock (_said)
        {
            lines.Add(line ?? "");
        }
    }

    private List<int> Words(string start) => Said(line => line.StartsWith(start, StringComparison.Ordinal))
        .ConvertAll(line => int.Parse(line.AsSpan(start.Length), CultureInfo.InvariantCulture));

    private List<string> Said(Predicate<string> which)
    {
        lock (_said)
        {
            return _said.FindAll(which);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int pid, int signal);
}
