using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FastListener.Load.Compare;

/// <summary>A peer while it runs: started, waited for, and asked to end in an orderly way.</summary>
internal sealed partial class PeerProcess : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _lines = [];

    private PeerProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, e) => Keep(e.Data);
        process.ErrorDataReceived += (_, e) => Keep(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public static PeerProcess Start(ProcessStartInfo start, int port, string title)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        var running = new PeerProcess(Process.Start(start) ?? throw new InvalidOperationException($"{title} does not start."));
        var patience = Stopwatch.StartNew();
        while (!Answers(port))
        {
            if (running._process.HasExited || patience.Elapsed > TimeSpan.FromSeconds(60))
            {
                var said = running.Said();
                running.Dispose();
                throw new InvalidOperationException($"{title} did not come up. It said: {said}");
            }

            Thread.Sleep(50);
        }

        return running;
    }

    /// <summary>A port that is free now, on this machine only.</summary>
    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public string Said()
    {
        lock (_lines)
        {
            return string.Join(" / ", _lines.TakeLast(12));
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _ = kill(_process.Id, 15);
            if (!_process.WaitForExit(TimeSpan.FromSeconds(40)))
            {
                _process.Kill(entireProcessTree: true);
                _process.WaitForExit();
            }
        }

        _process.Dispose();
    }

    private static bool Answers(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false; // not yet
        }
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            lock (_lines)
            {
                _lines.Add(line);
                if (_lines.Count > 200)
                {
                    _lines.RemoveAt(0);
                }
            }
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int process, int signal);
}
