using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace FastListener.Hosting.Transport;

/// <summary>
/// The receiving half of a connection, directly on its socket: a read receives into one pooled block and shows it as a single segment.
/// While nothing arrives and nothing is unconsumed no block is held.
/// </summary>
/// <remarks>
/// One logical thread reads; <see cref="CancelPendingRead"/> and <see cref="OnClosed"/> may come from any other. Everything is guarded
/// by the connection's gate, which no handler code ever runs under.
/// </remarks>
internal sealed class SocketReader : PipeReader
{
    private const int LeastRoom = 4096; // do not start a receive for less

    private readonly SocketConnection _connection;
    private readonly Lock _gate;
    private readonly BlockPool _blocks;
    private readonly int _maxUnconsumed;
    private readonly PendingResult<ReadResult> _read;
    private SocketOperation? _arrival; // tells that bytes have arrived; made for the first read that has to wait
    private bool _watching; // _arrival is under way
    private Block? _block; // Start..End is unconsumed
    private int _examined;
    private bool _ended;
    private bool _completed;
    private bool _cancelRequested;

    public SocketReader(SocketConnection connection, BlockPool blocks, int maxUnconsumed)
    {
        _connection = connection;
        _gate = connection.Gate;
        _read = new(connection.Gate);
        _blocks = blocks;
        _maxUnconsumed = maxUnconsumed;
    }

    /// <summary>Whether the peer has closed its sending half and everything it sent was received.</summary>
    public bool Ended => _ended;

    /// <summary>Whether a socket call of this half is still under way. Call under the gate.</summary>
    public bool IsBusy => _watching;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        }

        lock (_gate)
        {
            if (TryTake(out var result) || (Receive() && TryTake(out result)))
            {
                return new ValueTask<ReadResult>(result);
            }

            _read.Begin(cancellationToken);
        }

        return _read.AsTask();
    }

    public override bool TryRead(out ReadResult result)
    {
        lock (_gate)
        {
            return TryTake(out result) || (TryReceive() && TryTake(out result));
        }
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        lock (_gate)
        {
            ThrowIfCompleted();
            if (_block is not { } block)
            {
                return; // what was shown was empty
            }

            var consumedTo = PositionIn(block, consumed);
            var examinedTo = PositionIn(block, examined);
            if (consumedTo < block.Start || consumedTo > examinedTo || examinedTo > block.End)
            {
                throw new InvalidOperationException("A reader cannot advance outside of what it was shown, nor examine less than it consumes.");
            }

            block.Start = consumedTo;
            _examined = Math.Max(examinedTo, consumedTo);
        }
    }

    public override void CancelPendingRead()
    {
        lock (_gate)
        {
            if (_read.IsAwaited)
            {
                _read.FinishElsewhere(new ReadResult(Unconsumed(), isCanceled: true, isCompleted: _ended));
            }
            else
            {
                _cancelRequested = true;
            }
        }
    }

    public override void Complete(Exception? exception = null)
    {
        lock (_gate)
        {
            _completed = true;
            ReturnBlock();
        }
    }

    /// <summary>Frees what only the garbage collector would free later. Call when the connection is closed and not busy.</summary>
    public void Dispose() => _arrival?.Dispose();

    /// <summary>Ends a read that waits, because the connection is over. Call under the gate.</summary>
    public void OnClosed(Exception reason)
    {
        if (_read.IsAwaited)
        {
            _read.FailElsewhere(reason);
        }
    }

    private static int PositionIn(Block block, SequencePosition position) => position.GetObject() switch
    {
        null => block.Start, // default(SequencePosition): nothing
        var owner when ReferenceEquals(owner, block) => position.GetInteger() & int.MaxValue,
        _ when block.Count == 0 => block.Start, // a position in the empty sequence
        _ => throw new InvalidOperationException("The position belongs to another read."),
    };

    private void ThrowIfCompleted()
    {
        if (_completed)
        {
            throw new InvalidOperationException("Reading is not allowed after the reader was completed.");
        }
    }

    /// <summary>What can be answered without the socket.</summary>
    private bool TryTake(out ReadResult result)
    {
        ThrowIfCompleted();
        if (_read.IsAwaited)
        {
            throw new InvalidOperationException("A read is already under way.");
        }

        if (_connection.CloseReason is { } reason)
        {
            throw reason;
        }

        var cancelled = _cancelRequested;
        if (cancelled || _ended || (_block is { } block && _examined < block.End))
        {
            _cancelRequested = false;
            result = new ReadResult(Unconsumed(), cancelled, _ended);
            return true;
        }

        result = default;
        return false;
    }

    private ReadOnlySequence<byte> Unconsumed() => _block is { Count: > 0 } block
        ? new ReadOnlySequence<byte>(block.Memory[block.Start..block.End])
        : ReadOnlySequence<byte>.Empty;

    /// <summary>Receives what has arrived, or has its arrival reported. True: there is something to tell.</summary>
    private bool Receive()
    {
        while (!TryReceive())
        {
            if (_watching || Watch())
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>One receive that does not wait. True: there is something to tell (bytes, the end, a fault).</summary>
    private bool TryReceive()
    {
        var block = MakeRoom();
        var room = block.GetSpan()[block.End..];
        var count = _connection.Calls.Receive(room, out var error);
        switch (error)
        {
            case SocketError.Success when count > 0:
                block.End += count;
                return true;
            case SocketError.Success:
                _ended = true;
                _connection.OnEnd();
                return true;
            case SocketError.WouldBlock:
                return false;
            default:
                _connection.Fail(error);
                return true;
        }
    }

    /// <summary>Asks to be told when bytes arrive. False: they just did.</summary>
    private bool Watch()
    {
        if (_block is { Count: 0 })
        {
            ReturnBlock(); // an idle connection holds no memory
        }

        _arrival ??= new SocketOperation(OnArrival); // without a buffer: completes when something is there to receive
        _watching = _connection.Calls.ReceiveAsync(_arrival);
        return _watching;
    }

    private void OnArrival(SocketAsyncEventArgs arrival)
    {
        lock (_gate)
        {
            _watching = false;
            _connection.OnOperationEnded();
            if (!_read.IsAwaited)
            {
                return; // the read was cancelled meanwhile; the next one looks for itself
            }

            try
            {
                if (!Receive())
                {
                    return;
                }
            }
            catch (Exception failure) when (failure is OutOfMemoryException or InvalidOperationException)
            {
                _connection.Close(failure); // nobody above us on this thread could take it
            }

            if (!_read.IsAwaited)
            {
                return; // closing has ended the read already
            }

            _read.Decide(new ReadResult(Unconsumed(), isCanceled: false, _ended));
        }

        _read.Finish();
    }

    /// <summary>A block with room at its end, holding what is still unconsumed.</summary>
    private Block MakeRoom()
    {
        if (_block is not { } block)
        {
            _examined = 0;
            return _block = _blocks.RentBlock();
        }

        var count = block.Count;
        if (count == 0)
        {
            block.Start = block.End = _examined = 0;
        }
        else if (block.Length - block.End < LeastRoom)
        {
            var size = count <= block.Length / 2 ? block.Length : Math.Min(block.Length * 2, Math.Max(block.Length, _maxUnconsumed));
            if (size - count < LeastRoom)
            {
                throw new InvalidOperationException($"The reader left {count} bytes unconsumed; more than {_maxUnconsumed} are not kept.");
            }

            var target = size == block.Length ? block : _blocks.RentBlock(size);
            block.GetSpan()[block.Start..block.End].CopyTo(target.GetSpan());
            (target.Start, target.End, _examined) = (0, count, count);
            if (target != block)
            {
                block.Return();
                _block = target;
            }
        }

        return _block;
    }

    private void ReturnBlock()
    {
        _block?.Return();
        _block = null;
        _examined = 0;
    }
}
