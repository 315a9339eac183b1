using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using FastListener.Intake;
using FastListener.Protocol.Http;
using FastListener.Storage;
using Microsoft.AspNetCore.Connections;

namespace FastListener.Connections;

/// <summary>
/// The body of one request, one contiguous slice at a time, de-chunked (RFC 9112 section 7.1) and cut at the end its
/// framing gives (section 6.3). Slices are the transport's own buffers; nothing is copied and nothing is held back.
/// One per connection, used again for each request.
/// </summary>
/// <remarks>
/// A slice is valid until the next call of <see cref="ReadAsync"/>, which hands it back to the pipe.
/// Reading is what asks the client for the body, so the first read is also the moment for <c>100 Continue</c>.
/// What a read brings is handed out in this connection's turn (<see cref="Admission"/>); until it comes nothing more is taken from the
/// socket, so that TCP makes the client slow down.
/// </remarks>
internal sealed class BodyReader(PipeReader input, ConnectionClock clock, Admission admission, LedgerEntry entry, Func<ValueTask> sendContinue)
{
    /// <summary>
    /// Bytes that one connection may read without ever waiting before others get their turn: completions run on the
    /// threads that poll the sockets (see <see cref="Hosting.Transport.InlineCompletions"/>), and each polls for many. An upload that goes on with the
    /// thread that wrote its last bytes stays there, unless a file waits for that thread.
    /// </summary>
    private const int TurnBytes = 1024 * 1024;

    private readonly ChunkedDecoder _chunks = new();
    private ReadOnlySequence<byte> _rest;
    private BodyFraming _framing;
    private long _remaining;
    private bool _holding;
    private bool _awaitsContinue;
    private bool _begun;
    private BodyRead _final;
    private bool _finished;
    private bool _atPipe;
    private int _turn;
    private long _late; // taken since a stop had no more time
    private long _arrived;

    /// <summary>Bytes of this request's body taken off the wire, framing included.</summary>
    public long WireBytes { get; private set; }

    /// <summary>The request's entry in the ledger.</summary>
    public LedgerEntry Entry => entry;

    /// <summary>
    /// Bytes of this request's body, as the pipe has brought them: all that came, less what was left for the next request. The ledger holds
    /// <see cref="WireBytes"/>, which were counted slice by slice, against it.
    /// </summary>
    public long ReceivedBytes => _arrived - _rest.Length;

    /// <summary>Whether the body is over, whether well or badly.</summary>
    public bool Finished => _finished;

    /// <summary>Whether the body ended as its framing says, so that the next bytes are the next request.</summary>
    public bool Complete => _finished && _final.State is BodyState.End;

    /// <summary>
    /// Whether what was thrown last came out of the pipe: then it is the client, or the network, that has gone. Any other fault, however much it looks like
    /// one of the network, is ours.
    /// </summary>
    public bool ClientLost => _atPipe;

    /// <summary>
    /// Whether what came out of the pipe is no client's doing after all: the server stops, uploads have had their time to finish, and the connection was
    /// aborted on our side. TLS wraps what it meets.
    /// </summary>
    public bool EndedByStop(Exception fault) =>
        clock is { Stopping: true, HasAborted: false } && (fault is ConnectionAbortedException || fault.InnerException is ConnectionAbortedException);

    /// <summary>This connection's standing at the gates.</summary>
    public Admission Admission => admission;

    /// <summary>The longest that the client may be waited for, all waits together; zero is unlimited.</summary>
    public TimeSpan Whole
    {
        set => clock.Whole = value;
    }

    /// <summary>Prepares for the next request.</summary>
    /// <param name="framing">How the body's end is found.</param>
    /// <param name="expectsContinue">Whether the client waits for <c>100 Continue</c> before it sends the body.</param>
    public void Begin(BodyFraming framing, bool expectsContinue)
    {
        _framing = framing;
        _remaining = framing.Length;
        _awaitsContinue = expectsContinue;
        _begun = false;
        _rest = default;
        _holding = false;
        _final = default;
        _finished = false;
        _atPipe = false;
        WireBytes = 0;
        _arrived = _late = 0;
        if (framing.Kind is FramingKind.Chunked)
        {
            _chunks.Reset();
        }
        else if (framing.Kind is FramingKind.None || _remaining == 0)
        {
            Finish(BodyRead.End);
        }
    }

    /// <summary>The next slice of the body. Completes synchronously while received bytes are at hand.</summary>
    public ValueTask<BodyRead> ReadAsync()
    {
        if (!_begun && !_finished)
        {
            _begun = true;
            clock.Enter(ConnectionPhase.Body);
        }

        return TryTake(out var read) ? new(read) : ReadSlowAsync();
    }

    /// <summary>Gives back to the pipe what this request took, leaving the bytes of the next one. Call once a request is over.</summary>
    public void Release()
    {
        if (_holding)
        {
            _holding = false;
            input.AdvanceTo(_rest.Start);
            _rest = default;
        }
    }

    private bool TryTake(out BodyRead read)
    {
        while (!_finished)
        {
            if (_rest.IsEmpty)
            {
                read = default;
                return false;
            }

            var window = _rest.First;
            if (window.IsEmpty)
            {
                _rest = SkipEmptySegments(_rest);
                continue;
            }

            if (_framing.Kind is FramingKind.Length)
            {
                var take = (int)Math.Min(window.Length, _remaining);
                _remaining -= take;
                WireBytes += take;
                _rest = _rest.Slice(take);
                if (_remaining == 0)
                {
                    Finish(BodyRead.End);
                }

                read = BodyRead.Data(window[..take]);
                return true;
            }

            var status = _chunks.Next(window.Span, out var consumed, out var start, out var length);
            WireBytes += consumed;
            _rest = _rest.Slice(consumed);
            if (status is ParseStatus.Rejected)
            {
                Finish(BodyRead.Refused(RejectReason.MalformedChunk));
            }
            else if (status is ParseStatus.Done)
            {
                Finish(BodyRead.End);
            }

            if (length > 0)
            {
                read = BodyRead.Data(window.Slice(start, length));
                return true;
            }
        }

        admission.EndTurn();
        read = _final;
        return true;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<BodyRead> ReadSlowAsync()
    {
        while (true)
        {
            admission.EndTurn();
            _atPipe = true;
            if (_holding)
            {
                _holding = false;
                input.AdvanceTo(_rest.End);
                _rest = default;
            }

            if (input.TryRead(out var result))
            {
                clock.CountBody(result.Buffer.Length);
                _turn += (int)result.Buffer.Length;
            }
            else if (clock.StopExpired)
            {
                result = await ReadArrivedAsync();
                if (result is { Buffer.IsEmpty: true, IsCompleted: false })
                {
                    _holding = true;
                    _rest = result.Buffer;
                    return RefuseLate(); // what had arrived was taken; for the rest there is no time
                }
            }
            else
            {
                if (_awaitsContinue)
                {
                    // RFC 9110 section 10.1.1: only now do we want the body, and only if none of it came unasked.
                    _awaitsContinue = false;
                    clock.Enter(ConnectionPhase.Reply); // it is one: a client that does not take it is waited for no longer than with any other
                    await sendContinue();
                    clock.Enter(ConnectionPhase.Body);
                }

                clock.BeginWait();
                var reading = input.ReadAsync();
                var atOnce = reading.IsCompleted;
                result = await reading;
                clock.EndWait(result.Buffer.Length);
                _turn = atOnce ? _turn + (int)result.Buffer.Length : 0;
            }

            _atPipe = false;

            if (_turn > TurnBytes)
            {
                _turn = 0;
                if (!ObjectStore.OnSpareFileThread)
                {
                    await Task.Yield();
                }
            }

            _holding = true;
            _rest = result.Buffer;
            _arrived += _rest.Length;
            if (clock.StopExpired && (_late += _rest.Length) > TurnBytes)
            {
                return RefuseLate(); // a client that keeps sending is never waited for
            }

            if (!_rest.IsEmpty)
            {
                _awaitsContinue = false; // not for a read that brought nothing: a deadline of the former phase may have cancelled it late
                var taking = admission.TakeTurnAsync(Cost());
                var reason = taking.IsCompletedSuccessfully ? taking.Result : await taking;
                if (reason is not RejectReason.None)
                {
                    Finish(BodyRead.Refused(reason));
                    return _final;
                }
            }

            if (TryTake(out var read))
            {
                return read;
            }

            if (result.IsCompleted)
            {
                Finish(BodyRead.Refused(RejectReason.TruncatedBody));
                return _final;
            }

            if (result.IsCanceled && clock.Expired && !clock.StopExpired)
            {
                Finish(BodyRead.Refused(
                    clock.WholeExpired ? RejectReason.RequestTimeout
                    : clock.TokenExpired ? RejectReason.TokenTimeout
                    : RejectReason.BodyTimeout));
                return _final;
            }
        }
    }

    /// <summary>What lies in the socket, without waiting for more. Under TLS only a read looks there.</summary>
    private ValueTask<ReadResult> ReadArrivedAsync()
    {
        var reading = input.ReadAsync();
        if (!reading.IsCompleted)
        {
            input.CancelPendingRead();
        }

        return reading;
    }

    private BodyRead RefuseLate()
    {
        _atPipe = false;
        Finish(BodyRead.Refused(RejectReason.Stopping));
        return _final;
    }

    /// <summary>What the present read is charged as: what follows this body on the connection is somebody else's.</summary>
    private int Cost()
    {
        var length = _rest.Length;
        return (int)Math.Min(_framing.Kind is FramingKind.Length ? Math.Min(length, _remaining) : length, int.MaxValue);
    }

    private void Finish(BodyRead final)
    {
        _finished = true;
        _final = final;
        entry.ReceivedBytes = ReceivedBytes; // the batch books it before this connection is heard of again
    }

    private static ReadOnlySequence<byte> SkipEmptySegments(ReadOnlySequence<byte> sequence)
    {
        var position = sequence.Start;
        var start = position;
        while (sequence.TryGet(ref position, out var memory))
        {
            if (!memory.IsEmpty)
            {
                return sequence.Slice(start);
            }

            start = position;
        }

        return sequence.Slice(sequence.End);
    }
}
