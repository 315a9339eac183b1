using System.Runtime.CompilerServices;
using FastListener.Configuration;
using FastListener.Connections;
using FastListener.Protocol;
using FastListener.Protocol.Multipart;
using FastListener.Storage;

namespace FastListener.Intake;

/// <summary>
/// A submission that comes as a multipart form: feeds slices of the body to the parser and sends what comes out where it
/// belongs. Holds one field's value at most; the bytes of files go to their payloads slice by slice.
/// </summary>
internal sealed class FormIntake(SubmissionDraft draft, IntakeLimits limits) : IDisposable
{
    private const int FirstHeldRent = 1024;

    private readonly MultipartLimits _partLimits = new() { MaxParts = limits.MaxParts, MaxPartHeadBytes = limits.MaxPartHeadBytes };
    private readonly byte[] _boundary = new byte[Boundary.MaxBytes];
    private MultipartParser? _outer;
    private MultipartParser? _inner;
    private RentedBytes _held = new(FirstHeldRent);
    private Payload? _payload;
    private PartTarget _target;
    private int _parts; // of both forms
    private bool _unfolding;
    private bool _unfolded;

    /// <summary>Where the bytes of the present part go.</summary>
    private enum PartTarget : byte
    {
        /// <summary>Collected: the value of a field.</summary>
        Field,

        /// <summary>Straight to a payload.</summary>
        Payload,

        /// <summary>To the report, after a look at its first bytes: old Electron on Linux wraps a whole form in it.</summary>
        Unsettled,
    }

    /// <summary>Whether the request that is being read is a form.</summary>
    public bool Begun { get; private set; }

    /// <summary>Prepares for the form that a Content-Type announces.</summary>
    public RejectReason Begin(ReadOnlySpan<byte> contentType)
    {
        if (!Boundary.TryRead(contentType, _boundary, out var length))
        {
            return RejectReason.MissingBoundary;
        }

        _outer ??= new MultipartParser(_partLimits);
        _outer.Reset(_boundary.AsSpan(0, length));
        Begun = true;
        return RejectReason.None;
    }

    /// <summary>Reads the whole form, to the end of its framing: what follows the closing delimiter is read, too.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<RejectReason> ReadAsync(RequestBody body)
    {
        while (true)
        {
            var pending = body.ReadAsync();
            var read = pending.IsCompletedSuccessfully ? pending.Result : await pending;
            if (read.State is BodyState.Refused)
            {
                return read.Reason;
            }

            var last = read.State is BodyState.End;
            if (last && body.Bytes == 0)
            {
                return RejectReason.EmptyBody;
            }

            var feeding = FeedAsync(_outer!, read.Bytes, last);
            var reason = feeding.IsCompletedSuccessfully ? feeding.Result : await feeding;
            if (reason is RejectReason.None)
            {
                var settling = draft.SettleAsync(body);
                reason = settling.IsCompletedSuccessfully ? settling.Result : await settling;
            }

            if (reason is not RejectReason.None || last)
            {
                return reason;
            }
        }
    }

    /// <summary>Forgets the form, and gives every buffer back: the next one may never come.</summary>
    public void End()
    {
        Begun = false;
        _payload = null;
        _parts = 0;
        _unfolding = _unfolded = false;
        _held.Return();
        _outer?.Dispose();
        _inner?.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => End();

    /// <summary>Feeds one slice, or the end, to a parser and handles what comes out.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<RejectReason> FeedAsync(MultipartParser parser, ReadOnlyMemory<byte> slice, bool last)
    {
        while (true)
        {
            MultipartEvent step;
            if (last)
            {
                step = parser.Complete();
            }
            else
            {
                step = parser.Next(slice, out var consumed);
                slice = slice[consumed..];
            }

            if (step is MultipartEvent.NeedMore || (step is MultipartEvent.End && (last || slice.IsEmpty)))
            {
                return RejectReason.None;
            }

            var handling = HandleAsync(parser, step);
            var reason = handling.IsCompletedSuccessfully ? handling.Result : await handling;
            if (reason is not RejectReason.None)
            {
                return reason;
            }
        }
    }

    private ValueTask<RejectReason> HandleAsync(MultipartParser parser, MultipartEvent step) => step switch
    {
        MultipartEvent.PartBegin => new(draft.CheckMetadata(BeginPart(parser.Part))),
        MultipartEvent.Bytes when _unfolding && ReferenceEquals(parser, _outer) => FeedAsync(_inner!, parser.Data, last: false),
        MultipartEvent.Bytes => TakeAsync(parser.Part, parser.Data),
        MultipartEvent.PartEnd when _unfolding && ReferenceEquals(parser, _outer) => EndInnerAsync(),
        MultipartEvent.PartEnd => EndPartAsync(parser.Part),
        MultipartEvent.Rejected => new(Reason(parser.Fault)),
        _ => new(RejectReason.None),
    };

    private RejectReason BeginPart(PartHeaders part)
    {
        _held.Truncate(0);
        _payload = null;
        if (++_parts > limits.MaxParts)
        {
            return RejectReason.TooManyParts;
        }

        if (draft.AccountNames(part) is var refused and not RejectReason.None)
        {
            return refused;
        }

        var role = PartClass.Of(part.Key, part.HasFileName, out var name);
        if (part.TransferEncoding is not PartTransferEncoding.Identity)
        {
            draft.Submission.AddNote("a part had a Content-Transfer-Encoding; its bytes are kept as sent"u8);
        }

        switch (role)
        {
            case PartRole.Attribute:
                _target = PartTarget.Field;
                return part.Name.Length > limits.MaxAttributeNameBytes ? RejectReason.AttributeNameTooLong : RejectReason.None;

            case PartRole.Report when !_unfolded && draft.Report is null && !draft.Request.IsAttachment:
                _target = PartTarget.Unsettled;
                return RejectReason.None;

            case PartRole.Report:
                return BeginReport(part);

            default:
                _target = PartTarget.Payload;
                _payload = draft.BeginAttachment(name, part.FileName, part.ContentType, out var reason);
                return reason;
        }
    }

    private RejectReason BeginReport(PartHeaders part)
    {
        _target = PartTarget.Payload;
        _payload = draft.BeginReport(part.Key, part.FileName, part.ContentType, out var reason);
        return reason;
    }

    private ValueTask<RejectReason> TakeAsync(PartHeaders part, ReadOnlyMemory<byte> bytes)
    {
        var reason = draft.Account(bytes.Length);
        if (reason is not RejectReason.None)
        {
            return new(reason);
        }

        switch (_target)
        {
            case PartTarget.Payload:
                return WriteAsync(bytes);

            case PartTarget.Unsettled when _held.Count == 0 && bytes.Span[0] != (byte)'-':
                reason = BeginReport(part);
                return reason is RejectReason.None ? WriteAsync(bytes) : new(reason);

            case PartTarget.Unsettled:
                var missing = Math.Min(bytes.Length, ReportFormat.SniffBytes - _held.Count);
                _held.Append(bytes.Span[..missing]);
                return _held.Count < ReportFormat.SniffBytes ? new(RejectReason.None) : SettleAsync(part, bytes[missing..]);

            default:
                return HoldField(part, bytes);
        }
    }

    private ValueTask<RejectReason> WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        if (ReferenceEquals(_payload, draft.Report))
        {
            draft.InspectReport(bytes);
        }

        var reason = draft.CheckSize(_payload!, bytes.Span);
        if (reason is not RejectReason.None)
        {
            return new(reason);
        }

        var write = _payload!.WriteAsync(bytes);
        return write.IsCompletedSuccessfully ? new(RejectReason.None) : Await(write);

        static async ValueTask<RejectReason> Await(ValueTask write)
        {
            await write;
            return RejectReason.None;
        }
    }

    private ValueTask<RejectReason> HoldField(PartHeaders part, ReadOnlyMemory<byte> bytes)
    {
        if (_held.Count + bytes.Length <= limits.MaxAttributeValueBytes)
        {
            _held.Append(bytes.Span);
            return new(RejectReason.None);
        }

        // Longer than an attribute may be, and still somebody's crash: kept whole, as an attachment.
        draft.Submission.AddNote("a form field longer than an attribute may be is kept as an attachment"u8);
        _target = PartTarget.Payload;
        _payload = draft.BeginAttachment(PartClass.BaseName(part.Key), default, default, out var reason);
        return reason is RejectReason.None ? FlushHeldAsync(bytes) : new(reason);
    }

    /// <summary>Enough of a report that begins with a dash is held to tell whether it is a form of its own.</summary>
    private async ValueTask<RejectReason> SettleAsync(PartHeaders part, ReadOnlyMemory<byte> rest)
    {
        if (!Boundary.TryReadNested(_held.Span, _boundary, out var length))
        {
            var reason = BeginReport(part);
            return reason is RejectReason.None ? await FlushHeldAsync(rest) : reason;
        }

        draft.Submission.AddNote("the report was wrapped in a form of its own"u8);
        _inner ??= new MultipartParser(_partLimits);
        _inner.Reset(_boundary.AsSpan(0, length));
        _unfolding = _unfolded = true; // once: what another part wraps is kept as it was sent

        // The fields of the inner form need the buffer, so what it holds moves out first.
        var held = _held;
        _held = new(FirstHeldRent);
        try
        {
            var reason = await FeedAsync(_inner, held.Memory, last: false);
            return reason is RejectReason.None && !rest.IsEmpty ? await FeedAsync(_inner, rest, last: false) : reason;
        }
        finally
        {
            held.Return();
        }
    }

    private async ValueTask<RejectReason> FlushHeldAsync(ReadOnlyMemory<byte> rest)
    {
        var held = _held.Memory;
        _held.Truncate(0);
        var reason = held.IsEmpty ? RejectReason.None : await WriteAsync(held);
        return reason is RejectReason.None && !rest.IsEmpty ? await WriteAsync(rest) : reason;
    }

    private ValueTask<RejectReason> EndPartAsync(PartHeaders part)
    {
        if (_target is PartTarget.Field)
        {
            return new(draft.AddField(part.Key, _held.Span));
        }

        return _target is PartTarget.Unsettled ? EndUnsettledAsync(part) : EndPayloadAsync();
    }

    private async ValueTask<RejectReason> EndUnsettledAsync(PartHeaders part)
    {
        var reason = await SettleAsync(part, default);
        if (reason is not RejectReason.None)
        {
            return reason;
        }

        return _unfolding ? await EndInnerAsync() : await EndPayloadAsync();
    }

    private async ValueTask<RejectReason> EndInnerAsync()
    {
        _unfolding = false;
        return await FeedAsync(_inner!, default, last: true);
    }

    private ValueTask<RejectReason> EndPayloadAsync()
    {
        var completing = _payload is { } payload ? draft.CompleteAsync(payload) : ValueTask.CompletedTask;
        _payload = null;
        return completing.IsCompletedSuccessfully ? new(RejectReason.None) : Await(completing);

        static async ValueTask<RejectReason> Await(ValueTask completing)
        {
            await completing;
            return RejectReason.None;
        }
    }

    private static RejectReason Reason(MultipartFault fault) => fault switch
    {
        MultipartFault.Truncated => RejectReason.TruncatedMultipart,
        MultipartFault.TooManyParts => RejectReason.TooManyParts,
        MultipartFault.PartHeadTooLarge => RejectReason.PartHeadTooLarge,
        _ => RejectReason.MalformedMultipart,
    };
}
