using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;

namespace FastListener.Hosting.Transport;

/// <summary>
/// One listening socket. Accepting never ends over an error: a connection that is gone is skipped, a shortage is waited out. It pauses while
/// all <see cref="ConnectionPlaces"/> are taken. Stopping first keeps newcomers away (<see cref="Greetings"/>), then takes what the kernel has queued,
/// free place or not, so that nobody who got through the handshake is reset by a restart.
/// </summary>
internal sealed class SocketListener : IConnectionListener
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(10);

    private readonly Socket _listening;
    private readonly bool _shared;
    private readonly ListenerContext _context;
    private readonly Func<Socket, CancellationToken, ValueTask<Socket>> _accept;
    private readonly CancellationTokenSource _unbind = new();
    private long? _keptAwaySince;
    private int _queuedTaken;
    private bool _closed;

    /// <param name="listening">A bound socket that listens; ours from now on.</param>
    /// <param name="shared">Whether somebody else (systemd) holds the listening socket, too, and goes on listening after us.</param>
    /// <param name="context">What connections need.</param>
    /// <param name="accept">Takes the next connection; tests make it fail.</param>
    public SocketListener(
        Socket listening, bool shared, ListenerContext context, Func<Socket, CancellationToken, ValueTask<Socket>>? accept = null)
    {
        _listening = listening;
        _shared = shared;
        _context = context;
        _accept = accept ?? (static (socket, cancellationToken) => socket.AcceptAsync(cancellationToken));
        EndPoint = listening.LocalEndPoint!;
    }

    public EndPoint EndPoint { get; }

    /// <summary>The next connection; null when unbound and nothing is queued any more. One caller at a time.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var linked = cancellationToken.CanBeCanceled
            ? CancellationTokenSource.CreateLinkedTokenSource(_unbind.Token, cancellationToken)
            : null;
        for (var pause = _context.Options.AcceptPause; !_unbind.IsCancellationRequested;)
        {
            try
            {
                await _context.Places.WaitAsync(linked?.Token ?? _unbind.Token).ConfigureAwait(false);
                return new SocketConnection(await _accept(_listening, linked?.Token ?? _unbind.Token).ConfigureAwait(false), _context);
            }
            catch (OperationCanceledException) when (_unbind.IsCancellationRequested)
            {
                break;
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
            catch (SocketException e) when (IsOverAlready(e.SocketErrorCode))
            {
                TransportLog.GoneBeforeAccept(_context.Logger, EndPoint, e.SocketErrorCode);
            }
            catch (SocketException e) when (!_unbind.IsCancellationRequested)
            {
                TransportLog.AcceptFailed(_context.Logger, EndPoint, e.SocketErrorCode, pause);
                await PauseAsync(pause, linked?.Token ?? _unbind.Token).ConfigureAwait(false);
                pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, _context.Options.MaxAcceptPause.Ticks));
            }
            catch (SocketException)
            {
                break;
            }
        }

        return await TakeLastAsync().ConfigureAwait(false);
    }

    /// <summary>Stops accepting: the caller of <see cref="AcceptAsync"/> still gets what is queued, then null.</summary>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        if (!_shared && !_unbind.IsCancellationRequested && Greetings.TryDrop(_listening))
        {
            _keptAwaySince = _context.Clock.GetTimestamp();
        }

        _unbind.Cancel();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _unbind.Cancel();
        _listening.Dispose();
        return ValueTask.CompletedTask;
    }

    private static bool IsOverAlready(SocketError error) => error is SocketError.ConnectionAborted or SocketError.ConnectionReset;

    private static async Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken) =>
        await Task.Delay(pause, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>
    /// The next connection whose handshake had begun when we stopped; null, and the socket closed, when there is none, and none can come any more.
    /// </summary>
    private async ValueTask<SocketConnection?> TakeLastAsync()
    {
        while (!_closed)
        {
            var over = _keptAwaySince is not { } since || _context.Clock.GetElapsedTime(since) >= _context.Options.HandshakeGrace;
            if (TakeQueued() is { } connection)
            {
                return connection;
            }

            if (over)
            {
                Close();
                break;
            }

            await Task.Delay(s_look, _context.Clock).ConfigureAwait(false);
        }

        return null;
    }

    private void Close()
    {
        _closed = true;
        _listening.Dispose(); // at once: who gets through the handshake from here on is reset
        TransportLog.Unbound(_context.Logger, EndPoint, _queuedTaken);
    }

    /// <summary>The next connection that the kernel has queued; null when there is none.</summary>
    private SocketConnection? TakeQueued()
    {
        // A shared queue belongs to whoever listens next. Where newcomers are not kept away, an endless stream of them must not keep a stop from ending.
        while (!_shared && (_keptAwaySince is not null || _queuedTaken < _context.Options.Backlog))
        {
            try
            {
                if (!_listening.Poll(0, SelectMode.SelectRead))
                {
                    break; // empty; to be told so by an accept that throws would take milliseconds, in which others still come
                }

                _listening.Blocking = false;
                var connection = new SocketConnection(_listening.Accept(), _context);
                _queuedTaken++;
                return connection;
            }
            catch (SocketException e) when (IsOverAlready(e.SocketErrorCode))
            {
                TransportLog.GoneBeforeAccept(_context.Logger, EndPoint, e.SocketErrorCode);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                break; // empty (WouldBlock), or nothing more to be had
            }
        }

        return null;
    }
}
