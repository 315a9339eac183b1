using System.Buffers;
using System.Runtime.CompilerServices;
using FastListener.Configuration;
using FastListener.Intake;
using FastListener.Protocol.Compression;
using FastListener.Protocol.Http;
using FastListener.Storage;

namespace FastListener.Connections;

/// <summary>
/// The body of one request as its sender meant it: de-chunked by <see cref="BodyReader"/> and, when it has a
/// Content-Encoding, inflated. Counts what it hands out and holds it against the limits.
/// </summary>
/// <remarks>A slice is valid until the next call of <see cref="ReadAsync"/>. One per connection, used again.</remarks>
internal sealed class RequestBody(BodyReader wire, IntakeLimits limits) : IDisposable
{
    private const int OutputBytes = 64 * 1024;
    private Inflater? _inflater;
    private byte[]? _output;
    private ReadOnlyMemory<byte> _input;
    private bool _inflating;
    private bool _outputFull;
    private RejectReason _refused;

    /// <summary>
    /// Largest size that is accepted, bytes, before inflating as after it: what inflates to nothing (padding, empty members and blocks) is counted nowhere
    /// else. 0 is unlimited. Set by whoever knows what is being sent.
    /// </summary>
    public long MaxBytes { get; set; }

    /// <summary>Most bytes that may come over the wire, framing included; 0 is unlimited.</summary>
    public long MaxWireBytes { get; set; }

    /// <summary>The longest that the client may be waited for, all waits together; zero is unlimited.</summary>
    public TimeSpan Whole
    {
        set => wire.Whole = value;
    }

    /// <summary>The connection's standing at the gates.</summary>
    public Admission Admission => wire.Admission;

    /// <summary>The request's entry in the ledger.</summary>
    public LedgerEntry Entry => wire.Entry;

    /// <summary>Whether what was thrown last says that the client has gone.</summary>
    public bool ClientLost => wire.ClientLost;

    /// <summary>Whether it is the end of a stop that has taken the client away.</summary>
    public bool EndedByStop(Exception fault) => wire.EndedByStop(fault);

    /// <summary>Decoded bytes handed out so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>Bytes taken off the wire for this body, framing included.</summary>
    public long WireBytes => wire.WireBytes;

    /// <summary>Prepares for the next request. The coding must be one that can be decoded.</summary>
    public void Begin(ContentCoding coding)
    {
        MaxBytes = limits.MaxBodyBytes;
        MaxWireBytes = limits.MaxWireBytes;
        Bytes = 0;
        _refused = RejectReason.None;
        _input = default;
        _outputFull = false;
        _inflating = coding is ContentCoding.Gzip or ContentCoding.Deflate;
        if (_inflating)
        {
            _inflater ??= new Inflater();
            _inflater.Reset(coding);
            _output ??= ArrayPool<byte>.Shared.Rent(OutputBytes);
        }
    }

    /// <summary>The next slice. After anything but <see cref="BodyState.Data"/> the answer stays the same.</summary>
    public ValueTask<BodyRead> ReadAsync()
    {
        if (_refused is not RejectReason.None)
        {
            return new(BodyRead.Refused(_refused));
        }

        if (_inflating)
        {
            return InflateAsync();
        }

        var pending = wire.ReadAsync();
        return pending.IsCompletedSuccessfully ? new(Count(pending.Result)) : CountAsync(pending);
    }

    /// <summary>Gives the rented buffers and the native inflater back. Call when the request is over.</summary>
    public void Release()
    {
        if (_output is { } output)
        {
            _output = null;
            ArrayPool<byte>.Shared.Return(output);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        _inflater?.Dispose();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<BodyRead> CountAsync(ValueTask<BodyRead> pending) => Count(await pending);

    private BodyRead Count(BodyRead read)
    {
        Bytes += read.Bytes.Length;
        return MaxBytes != 0 && Bytes > MaxBytes ? Refuse(RejectReason.BodyTooLarge)
            : MaxWireBytes != 0 && wire.WireBytes > MaxWireBytes ? Refuse(RejectReason.WireTooLarge)
            : read;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<BodyRead> InflateAsync()
    {
        while (true)
        {
            if (_input.IsEmpty && !_outputFull)
            {
                var read = await wire.ReadAsync();
                if (read.State is BodyState.Refused)
                {
                    return read;
                }

                // Here and not with what comes out: of this, nothing may.
                if (MaxWireBytes != 0 && wire.WireBytes > MaxWireBytes)
                {
                    return Refuse(RejectReason.WireTooLarge);
                }

                if (MaxBytes != 0 && _inflater!.InputBytes + read.Bytes.Length > MaxBytes)
                {
                    return Refuse(RejectReason.BodyTooLarge);
                }

                if (read.State is BodyState.End)
                {
                    if (wire.WireBytes == 0 || _inflater!.Complete())
                    {
                        return read;
                    }

                    return Refuse(RejectReason.TruncatedCompression);
                }

                _input = read.Bytes;
            }

            var status = _inflater!.Next(_input.Span, _output, out var consumed, out var written);
            _input = _input[consumed..];
            if (status is InflateStatus.Rejected)
            {
                return Refuse(RejectReason.MalformedCompression);
            }

            // A full output means that the inflater may hold more than it could hand out.
            _outputFull = written == _output!.Length;
            if (written > 0)
            {
                if (written > consumed)
                {
                    Admission.Charge(written - consumed); // a turn was paid for as what came over the wire
                }

                if (Bytes + written > limits.InflationGraceBytes
                    && (Bytes + written) / limits.MaxInflationRatio > wire.WireBytes)
                {
                    return Refuse(RejectReason.InflationLimit);
                }

                return Count(BodyRead.Data(_output.AsMemory(0, written)));
            }

            _outputFull = false;
        }
    }

    private BodyRead Refuse(RejectReason reason)
    {
        _refused = reason;
        return BodyRead.Refused(reason);
    }
}
