using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FastListener.SystemTests.Harness;

/// <summary>
/// The kernel's own account of what a peer on this machine has not read yet. It lets a test cut a request in two for certain:
/// the second piece leaves only after the listener has taken the first one.
/// </summary>
internal static class SocketQueues
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>Waits until the other end of this loopback connection has read everything sent so far, or is gone.</summary>
    public static void WaitUntilTaken(Socket socket)
    {
        var mine = (IPEndPoint)socket.LocalEndPoint!;
        var theirs = (IPEndPoint)socket.RemoteEndPoint!;
        var waiting = Stopwatch.StartNew();
        while (UnreadBytes(theirs, mine) > 0)
        {
            // A listener that answered early need not read on.
            if (socket.Available > 0 || waiting.Elapsed > Limit)
            {
                return;
            }

            Thread.Yield();
        }
    }

    /// <summary>The receive queue of the end of a connection that lies at <paramref name="here"/>; 0 when there is none.</summary>
    private static int UnreadBytes(IPEndPoint here, IPEndPoint there)
    {
        var local = Spelled(here);
        var remote = Spelled(there);
        foreach (var table in new[] { "/proc/net/tcp", "/proc/net/tcp6" })
        {
            foreach (var line in File.ReadLines(table))
            {
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (words.Length > 4
                    && words[1].EndsWith(local, StringComparison.Ordinal)
                    && words[2].EndsWith(remote, StringComparison.Ordinal))
                {
                    return int.Parse(words[4].AsSpan(words[4].IndexOf(':') + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                }
            }
        }

        return 0;
    }

    /// <summary>As the kernel's tables spell an IPv4 address: its four bytes last first, then the port.</summary>
    private static string Spelled(IPEndPoint end)
    {
        var bytes = end.Address.GetAddressBytes();
        return $"{bytes[3]:X2}{bytes[2]:X2}{bytes[1]:X2}{bytes[0]:X2}:{end.Port:X4}";
    }
}
