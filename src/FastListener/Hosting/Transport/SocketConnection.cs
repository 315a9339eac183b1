using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace FastListener.Hosting.Transport;

/// <summary>
/// One accepted connection: owns the socket and both halves, knows when and why it is over. Kestrel adds its own features (heartbeat,
/// lifetime notification, metrics) and disposes it when the handler has returned. Until then it lives, whatever the handler waits for.
/// </summary>
internal sealed partial class SocketConnection : ConnectionContext, IDuplexPipe
{
    private const int MaxDiscard = 1024 * 1024; // unread bytes thrown away on closing, so that the kernel sends FIN instead of a reset

    private readonly Socket _socket;
    private readonly ListenerContext _context;
    private readonly SocketReader _reader;
    private readonly SocketWriter _writer;
    private CancellationTokenSource? _closedSource;
    private CancellationToken? _closedToken; // set by whoever wraps the connection
    private TaskCompletionSource? _idle; // somebody waits until no socket call is under way
    private GCHandle _alive; // Kestrel knows its connections weakly, and a handler may wait for what only the connection refers to
    private bool _closedFired;
    private bool _disposed;

    public SocketConnection(Socket socket, ListenerContext context)
    {
        socket.Blocking = false;
        _socket = socket;
        Calls = new(socket);
        _context = context;
        _reader = new SocketReader(this, context.Blocks, context.Options.MaxUnconsumedBytes);
        _writer = new SocketWriter(this, context.Blocks);
        Transport = this;
        ConnectionId = ConnectionIds.Next();
        RemoteEndPoint = socket.RemoteEndPoint;
        _alive = GCHandle.Alloc(this);
        context.Places.Take(); // last: a connection that never came to be has none to give back
    }

    /// <summary>Guards the connection and both its halves.</summary>
    public Lock Gate { get; } = new();

    /// <summary>What both halves do with the socket.</summary>
    public SocketCalls Calls { get; }

    /// <summary>Why the connection is over; null while it is not. An end of stream from the peer does not end it.</summary>
    public Exception? CloseReason { get; private set; }

    PipeReader IDuplexPipe.Input => _reader;

    PipeWriter IDuplexPipe.Output => _writer;

    public override IDuplexPipe Transport { get; set; }

    public override string ConnectionId { get; set; }

    public override IDictionary<object, object?> Items
    {
        get => field ??= new ConnectionItems();
        set;
    }

    public override EndPoint? RemoteEndPoint { get; set; }

    public override EndPoint? LocalEndPoint
    {
        get => field ??= ReadLocalEndPoint(); // a system call that most connections never need
        set;
    }

    /// <summary>
    /// Fires when the connection is over: it was reset or aborted, its handler has returned, or (as with Kestrel's transport) the peer has
    /// closed its sending half. In the last case the peer may still be waiting for its answer, and writing still works.
    /// </summary>
    public override CancellationToken ConnectionClosed
    {
        get
        {
            lock (Gate)
            {
                return _closedToken ?? (_closedFired
                    ? new CancellationToken(canceled: true)
                    : (_closedSource ??= new CancellationTokenSource()).Token);
            }
        }
        set
        {
            lock (Gate)
            {
                _closedToken = value;
            }
        }
    }

    /// <summary>Ends the connection at once with a reset; reads and flushes that wait end now. Harmless when it is over already.</summary>
    public override void Abort(ConnectionAbortedException abortReason) => Close(abortReason);

    public override void Abort() => Close(new ConnectionAbortedException("The connection was aborted by the application."));

    /// <summary>
    /// Sends what was written, then the end of stream, and closes. Bytes that have arrived and were never read are thrown away first:
    /// closing over them would make the kernel send a reset, which can destroy the answer before the client has read it.
    /// </summary>
    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
        {
            return;
        }

        try
        {
            await CloseAsync().ConfigureAwait(false);
        }
        finally
        {
            _alive.Free();
            _context.Places.GiveBack();
        }

        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Ends the connection over an error of its socket. Call under the gate.</summary>
    public void Fail(SocketError error)
    {
        if (CloseReason is not null)
        {
            return; // an aborted call of a socket that we closed
        }

        var cause = new SocketException((int)error);
        TransportLog.Reset(_context.Logger, ConnectionId, error);
        Close(new ConnectionResetException(cause.Message, cause));
    }

    /// <summary>Ends the connection with a reset, for the reason that reads shall report.</summary>
    public void Close(Exception reason)
    {
        lock (Gate)
        {
            if (CloseReason is not null)
            {
                return;
            }

            CloseReason = reason;
            _socket.Close(timeout: 0);
            _reader.OnClosed(reason);
            _writer.OnClosed();
        }

        FireClosed();
    }

    /// <summary>The peer has closed its sending half.</summary>
    public void OnEnd() => FireClosed();

    /// <summary>A socket call has ended. Call under the gate.</summary>
    public void OnOperationEnded() => _idle?.TrySetResult();

    /// <summary>Sends the end of stream. Call under the gate.</summary>
    public void ShutdownSend()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException e)
        {
            Fail(e.SocketErrorCode); // the peer was faster
        }
    }

    /// <summary>
    /// Waits until a half (null: both) has no socket call under way, for at most the close timeout. False: that time is over.
    /// </summary>
    private async ValueTask<bool> WaitUntilAsync(SocketWriter? half)
    {
        while (true)
        {
            Task idle;
            lock (Gate)
            {
                if (!(half?.IsBusy ?? (_reader.IsBusy || _writer.IsBusy)))
                {
                    _idle = null;
                    return true;
                }

                _idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                idle = _idle.Task;
            }

            try
            {
                await idle.WaitAsync(_context.Options.CloseTimeout, _context.Clock).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                return false;
            }
        }
    }

    private async ValueTask CloseAsync()
    {
        _writer.CompleteByClosing();
        if (!await WaitUntilAsync(_writer).ConfigureAwait(false))
        {
            TransportLog.CutOff(_context.Logger, ConnectionId, _context.Options.CloseTimeout);
            Close(new ConnectionAbortedException("The peer did not take the last bytes in time."));
        }

        lock (Gate)
        {
            _reader.Complete();
            if (CloseReason is null && _reader.IsBusy)
            {
                ShutdownSend(); // a cancelled read still watches the socket, and .NET resets one that is closed under a call without an end of stream
            }

            if (CloseReason is null)
            {
                DiscardArrived();
                CloseReason = new ConnectionAbortedException("The connection has ended.");
                _reader.OnClosed(CloseReason);
                _socket.Dispose();
            }
        }

        // Closing has ended every socket call; what they still held is back in the pool when this returns.
        if (await WaitUntilAsync(null).ConfigureAwait(false))
        {
            _reader.Dispose();
            _writer.Dispose();
        }

        FireClosed();
    }

    private void DiscardArrived()
    {
        if (_reader.Ended)
        {
            return;
        }

        Span<byte> scratch = stackalloc byte[4096]; // where memory is short, a connection must still close
        for (var discarded = 0; discarded < MaxDiscard;)
        {
            var count = Calls.Receive(scratch, out _);
            if (count == 0)
            {
                break;
            }

            discarded += count;
        }
    }

    private EndPoint? ReadLocalEndPoint()
    {
        try
        {
            return _socket.LocalEndPoint;
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            return null; // too late to ask
        }
    }

    private void FireClosed()
    {
        CancellationTokenSource? source;
        lock (Gate)
        {
            if (_closedFired)
            {
                return;
            }

            _closedFired = true;
            source = _closedSource;
        }

        if (source is not null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(Cancel, (source, this), preferLocal: false); // callbacks are not ours to run here
        }
    }

    private static void Cancel((CancellationTokenSource Source, SocketConnection Connection) state)
    {
        try
        {
            state.Source.Cancel();
        }
        catch (AggregateException e)
        {
            TransportLog.ClosedCallbackFailed(state.Connection._context.Logger, e, state.Connection.ConnectionId);
        }
    }
}
