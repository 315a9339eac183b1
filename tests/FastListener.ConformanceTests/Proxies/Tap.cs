using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FastListener.ConformanceTests.Proxies;

/// <summary>
/// Stands between a proxy and the listener, passes bytes on unchanged and keeps two counts per connection: the requests that the proxy
/// put its mark on (it marks each one it forwards, with a secret no client knows), and the replies of the listener. A reply that no
/// marked request can be the reason for is a smuggled request's.
/// </summary>
internal sealed class Tap : IAsyncDisposable
{
    private static int s_address;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<TappedConnection> _connections = [];
    private readonly int _target;
    private readonly byte[] _mark;
    private readonly Task _accepting;

    public Tap(int target, string mark)
    {
        _target = target;
        _mark = Encoding.ASCII.GetBytes(mark);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public IEnumerable<TappedConnection> Connections => _connections;

    public int Marked => _connections.Sum(connection => connection.Marked);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var running = new List<Task>();
        try
        {
            while (true)
            {
                running.Add(PassAsync(await _listener.AcceptSocketAsync(_stop.Token)));
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(running);
        }
    }

    private async Task PassAsync(Socket proxy)
    {
        using var upstream = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (proxy)
        {
            proxy.NoDelay = true;
            var number = Interlocked.Increment(ref s_address);
            upstream.Bind(new IPEndPoint(new IPAddress([127, 2, (byte)(number >> 8), (byte)((number % 250) + 2)]), 0));
            var record = new TappedConnection(_mark);
            _connections.Add(record);
            try
            {
                await upstream.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                await Task.WhenAll(PumpAsync(proxy, upstream, record.TakeRequest), PumpAsync(upstream, proxy, record.TakeReply));
            }
            catch (Exception fault) when (fault is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // One side is gone; what it said is recorded.
            }
        }
    }

    private async Task PumpAsync(Socket from, Socket to, Action<ReadOnlySpan<byte>> record)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, SocketFlags.None, _stop.Token) is > 0 and var length)
            {
                record(buffer.AsSpan(0, length));
                for (var sent = 0; sent < length;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, length - sent), SocketFlags.None, _stop.Token);
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            to.Close(0);
            throw;
        }
    }
}
