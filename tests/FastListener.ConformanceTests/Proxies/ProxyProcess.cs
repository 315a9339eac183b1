using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FastListener.SystemTests.Harness;

namespace FastListener.ConformanceTests.Proxies;

/// <summary>A real proxy with a throw-away configuration on a free port of 127.0.0.1; ended by its process id.</summary>
internal sealed class ProxyProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _folder;
    private readonly Task<string> _said;

    private ProxyProcess(Process process, string folder, int port)
    {
        _process = process;
        _folder = folder;
        Port = port;
        _said = process.StandardError.ReadToEndAsync();
        _ = process.StandardOutput.ReadToEndAsync();
    }

    public int Port { get; }

    public static async Task<ProxyProcess> StartAsync(ProxyKind kind, int upstream, string mark)
    {
        var folder = Directory.CreateTempSubdirectory("fastlistener-proxy-").FullName;
        var port = FreePort();
        var configuration = Path.Combine(folder, "proxy.conf");
        await File.WriteAllTextAsync(configuration, kind.Configuration
            .Replace("@FOLDER@", folder, StringComparison.Ordinal)
            .Replace("@PORT@", port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("@UPSTREAM@", upstream.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("@MARK@", mark, StringComparison.Ordinal));
        var start = new ProcessStartInfo(Command.Find(kind.Program)!, kind.Arguments(folder, configuration))
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        var proxy = new ProxyProcess(Process.Start(start)!, folder, port);
        await Eventually.TrueAsync(proxy.IsListeningAsync, $"{kind.Name} listens");
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        await _said;
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<bool> IsListeningAsync()
    {
        Assert.False(_process.HasExited, _process.HasExited ? await _said : "");
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
