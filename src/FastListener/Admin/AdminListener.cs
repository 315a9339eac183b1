using System.Net;
using System.Net.Sockets;
using System.Text;
using FastListener.Configuration;
using FastListener.Protocol.Http;

namespace FastListener.Admin;

/// <summary>
/// The endpoint that operators and their machines ask. On sockets of its own, away from Kestrel, so that it still answers while the
/// listener drains, and so that a port in use, or whatever else goes wrong here, costs no upload.
/// </summary>
/// <remarks>One request for each connection, a few connections at once, seconds for each: nobody can hold anything here.</remarks>
internal sealed class AdminListener : IAsyncDisposable
{
    private const int MaxConnections = 16;
    private static readonly HeadLimits Limits = new() { MaxHeadBytes = 8 * 1024, MaxTargetBytes = 1024 };
    private static readonly TimeSpan ConnectionLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BindAgain = TimeSpan.FromSeconds(2);

    private readonly IPEndPoint _address;
    private readonly AdminPages _pages;
    private readonly ILogger _log;
    private readonly Func<AddressFamily, Socket> _newSocket;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private Socket? _socket;
    private int _open;

    private AdminListener(IPEndPoint address, AdminPages pages, ILogger log, Func<AddressFamily, Socket> newSocket)
    {
        _address = address;
        _pages = pages;
        _log = log;
        _newSocket = newSocket;
        _socket = TryBind(complain: true);
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Where it listens; null while the address is in use.</summary>
    public EndPoint? Address => Volatile.Read(ref _socket)?.LocalEndPoint;

    /// <summary>Starts it. Null when it is switched off.</summary>
    /// <param name="address">As <see cref="ListenSettings.Admin"/>.</param>
    /// <param name="pages">What it answers.</param>
    /// <param name="log">Where it says what went wrong.</param>
    /// <param name="newSocket">Makes the listening socket; tests make it fail.</param>
    public static AdminListener? Start(string address, AdminPages pages, ILogger log, Func<AddressFamily, Socket>? newSocket = null) =>
        ListenSettings.TryParse(address, out var endpoint) && endpoint is not null
            ? new AdminListener(endpoint, pages, log, newSocket ?? (static family => new Socket(family, SocketType.Stream, ProtocolType.Tcp)))
            : null;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _socket?.Dispose();
        _stop.Dispose();
    }

    private Socket? TryBind(bool complain)
    {
        Socket? socket = null;
        try
        {
            var address = _address;
            var every = address.Address.Equals(ListenSettings.AnyAddress);
            try
            {
                socket = _newSocket(address.AddressFamily);
                if (every)
                {
                    socket.DualMode = true;
                }
            }
            catch (SocketException fault) when (every && fault.SocketErrorCode is SocketError.AddressFamilyNotSupported)
            {
                socket?.Dispose();
                address = new IPEndPoint(IPAddress.Any, address.Port); // a kernel without IPv6: the other family is every address there is
                socket = _newSocket(address.AddressFamily);
            }

            socket.Bind(address);
            socket.Listen(MaxConnections);
            AdminLog.Listening(_log, socket.LocalEndPoint!);
            return socket;
        }
        catch (SocketException fault)
        {
            socket?.Dispose();
            if (complain)
            {
                AdminLog.Unavailable(_log, _address, fault.SocketErrorCode.ToString());
            }

            return null;
        }
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (_socket is null)
                {
                    await Task.Delay(BindAgain, _stop.Token);
                    Volatile.Write(ref _socket, TryBind(complain: false));
                    continue;
                }

                var connection = await _socket.AcceptAsync(_stop.Token);
                if (Interlocked.Increment(ref _open) > MaxConnections)
                {
                    Interlocked.Decrement(ref _open);
                    connection.Dispose();
                    continue;
                }

                _ = ServeAsync(connection);
            }
            catch (OperationCanceledException)
            {
                // The process ends.
            }
            catch (Exception fault)
            {
                if (fault is SocketException refused)
                {
                    AdminLog.AcceptFailed(_log, refused.SocketErrorCode.ToString());
                }
                else
                {
                    AdminLog.InternalFault(_log, fault);
                }

                await Task.Delay(TimeSpan.FromSeconds(1), _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        await Task.Yield(); // completions may run on a thread that polls the sockets of uploads
        try
        {
            using (connection)
            using (var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token))
            {
                limit.CancelAfter(ConnectionLimit);
                await AnswerAsync(connection, limit.Token);
            }
        }
        catch (Exception fault) when (fault is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Whoever asked has left, or has never asked: nothing is owed.
        }
        catch (Exception fault)
        {
            AdminLog.InternalFault(_log, fault);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task AnswerAsync(Socket connection, CancellationToken stop)
    {
        using var heads = new RequestHeadParser(Limits);
        var buffer = new byte[Limits.MaxHeadBytes];
        var status = ParseStatus.NeedMore;
        while (status is ParseStatus.NeedMore)
        {
            var received = await connection.ReceiveAsync(buffer, stop);
            if (received == 0)
            {
                return;
            }

            status = heads.Append(buffer.AsSpan(0, received), out _);
        }

        await Task.Yield();
        var page = status is ParseStatus.Done ? _pages.Answer(heads.Head) : AdminPage.Malformed;
        var headOnly = status is ParseStatus.Done && heads.Head.Method is RequestMethod.Head;
        var head = Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {page.Status}\r\nContent-Type: {page.ContentType}\r\nContent-Length: {page.Body.Length}\r\nCache-Control: no-store\r\n"
            + $"X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n");
        for (ReadOnlyMemory<byte> left = headOnly ? head : [.. head, .. page.Body]; !left.IsEmpty;)
        {
            left = left[await connection.SendAsync(left, stop)..];
        }

        // Closing over unread bytes would send a reset, which could overtake the answer.
        connection.Shutdown(SocketShutdown.Send);
        while (await connection.ReceiveAsync(buffer, stop) > 0)
        {
        }
    }
}
