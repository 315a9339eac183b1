using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace FastListener.Hosting.Transport;

/// <summary>
/// The sending half of a connection, directly on its socket: a flush sends from the block that was written to, and waits only when the
/// peer's window is full. As with Kestrel, a connection that is over takes and drops what is written and says <c>IsCompleted</c>.
/// </summary>
/// <remarks>
/// One logical thread writes; <see cref="CancelPendingFlush"/> and <see cref="OnClosed"/> may come from any other. Everything is
/// guarded by the connection's gate, which no handler code ever runs under.
/// </remarks>
internal sealed class SocketWriter : PipeWriter
{
    private readonly SocketConnection _connection;
    private readonly Lock _gate;
    private readonly BlockQueue _queue;
    private readonly PendingResult<FlushResult> _flush;
    private SocketOperation? _departure; // made for the first send that has to wait
    private bool _sending; // _departure is under way, on the first block of the queue
    private long _unflushed;
    private bool _completed;
    private bool _finSent;
    private bool _cancelRequested;

    public SocketWriter(SocketConnection connection, BlockPool blocks)
    {
        _connection = connection;
        _gate = connection.Gate;
        _flush = new(connection.Gate);
        _queue = new(blocks);
    }

    /// <summary>Whether a socket call of this half is still under way. Call under the gate.</summary>
    public bool IsBusy => _sending;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _unflushed;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        var block = Room(sizeHint);
        return block.Memory[block.End..];
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        var block = Room(sizeHint);
        return block.GetSpan()[block.End..];
    }

    public override void Advance(int bytes)
    {
        lock (_gate)
        {
            if (!_queue.TryTakeBack(bytes))
            {
                throw new InvalidOperationException("A writer cannot advance beyond the memory it was given.");
            }

            _unflushed += bytes;
        }
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        }

        lock (_gate)
        {
            if (_flush.IsAwaited)
            {
                throw new InvalidOperationException("A flush is already under way.");
            }

            _unflushed = 0;
            Send();
            if (_cancelRequested || !_sending || _connection.CloseReason is not null)
            {
                var cancelled = _cancelRequested;
                _cancelRequested = false;
                return new ValueTask<FlushResult>(new FlushResult(cancelled, _connection.CloseReason is not null));
            }

            _flush.Begin(cancellationToken);
        }

        return _flush.AsTask();
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        }

        lock (_gate)
        {
            ThrowIfCompleted();
            if (_queue.IsEmpty && !_sending && !_flush.IsAwaited && !_cancelRequested && _connection.CloseReason is null)
            {
                // Nothing is ahead of it, so it may go out from where it lies.
                while (!source.IsEmpty)
                {
                    var count = _connection.Calls.Send(source.Span, out var error);
                    if (error != SocketError.Success)
                    {
                        if (error != SocketError.WouldBlock)
                        {
                            _connection.Fail(error);
                        }

                        break;
                    }

                    source = source[count..];
                }
            }
        }

        return source.IsEmpty || _connection.CloseReason is not null ? FlushAsync(cancellationToken) : WriteRestAsync(source, cancellationToken);
    }

    public override void CancelPendingFlush()
    {
        lock (_gate)
        {
            if (_flush.IsAwaited)
            {
                _flush.FinishElsewhere(new FlushResult(isCanceled: true, isCompleted: false));
            }
            else
            {
                _cancelRequested = true;
            }
        }
    }

    /// <summary>Sends what is left and then the end of stream; with an error, resets the connection. Reading stays possible.</summary>
    public override void Complete(Exception? exception = null)
    {
        lock (_gate)
        {
            if (_completed)
            {
                return;
            }

            _completed = true;
            _queue.EndLoan();
            if (exception is not null)
            {
                _connection.Close(exception);
            }

            Send();
        }
    }

    /// <summary>Completes, and leaves it to the closing of the socket to send the end of stream: one system call less.</summary>
    public void CompleteByClosing()
    {
        lock (_gate)
        {
            _finSent |= !_completed;
            Complete();
        }
    }

    /// <summary>Frees what only the garbage collector would free later. Call when the connection is closed and not busy.</summary>
    public void Dispose() => _departure?.Dispose();

    /// <summary>Ends a flush that waits and drops what was not sent, because the connection is over. Call under the gate.</summary>
    public void OnClosed()
    {
        if (!_sending)
        {
            _queue.Drop();
        }

        if (_flush.IsAwaited)
        {
            _flush.FinishElsewhere(new FlushResult(isCanceled: false, isCompleted: true));
        }
    }

    private Block Room(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        lock (_gate)
        {
            ThrowIfCompleted();
            return _queue.Lend(sizeHint);
        }
    }

    private void ThrowIfCompleted()
    {
        if (_completed)
        {
            throw new InvalidOperationException("Writing is not allowed after the writer was completed.");
        }
    }

    /// <summary>A piece at a time, so that a large write to a slow peer costs one block.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<FlushResult> WriteRestAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        while (true)
        {
            var memory = GetMemory();
            var count = Math.Min(memory.Length, source.Length);
            source.Span[..count].CopyTo(memory.Span);
            Advance(count);
            source = source[count..];

            var result = await FlushAsync(cancellationToken).ConfigureAwait(false);
            if (source.IsEmpty || result.IsCompleted)
            {
                return result;
            }

            if (result.IsCanceled)
            {
                Keep(source.Span); // the caller may not offer it again
                return result;
            }
        }
    }

    private void Keep(ReadOnlySpan<byte> source)
    {
        source.CopyTo(GetSpan(source.Length));
        Advance(source.Length);
    }

    /// <summary>Sends the queue as far as the peer's window goes; what is left goes on by itself. Call under the gate.</summary>
    private void Send()
    {
        while (!_sending && _connection.CloseReason is null && _queue.Next() is { } block)
        {
            var count = _connection.Calls.Send(block.GetSpan()[block.Start..block.End], out var error);
            switch (error)
            {
                case SocketError.Success:
                    _queue.Sent(count);
                    break;
                case SocketError.WouldBlock:
                    _departure ??= new SocketOperation(OnDeparture);
                    _departure.SetBuffer(block.Memory[block.Start..block.End]);
                    if (_connection.Calls.SendAsync(_departure))
                    {
                        _sending = true;
                    }
                    else
                    {
                        Conclude(_departure);
                    }

                    break;
                default:
                    _connection.Fail(error);
                    break;
            }
        }

        if (_connection.CloseReason is not null)
        {
            if (!_sending)
            {
                _queue.Drop();
            }
        }
        else if (_completed && !_sending && !_finSent)
        {
            _finSent = true;
            _connection.ShutdownSend();
        }
    }

    private void OnDeparture(SocketAsyncEventArgs departure)
    {
        lock (_gate)
        {
            _sending = false;
            Conclude(departure);
            Send();
            _connection.OnOperationEnded();

            if (!_flush.IsAwaited || _sending)
            {
                return;
            }

            _flush.Decide(new FlushResult(isCanceled: false, isCompleted: _connection.CloseReason is not null));
        }

        _flush.Finish();
    }

    private void Conclude(SocketAsyncEventArgs departure)
    {
        if (departure.SocketError == SocketError.Success)
        {
            _queue.Sent(departure.BytesTransferred);
        }
        else
        {
            _connection.Fail(departure.SocketError);
        }
    }
}
