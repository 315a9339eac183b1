using System.Buffers;
using FastListener.Configuration;
using FastListener.Connections;
using FastListener.Protocol.Multipart;
using FastListener.Storage;

namespace FastListener.Intake;

/// <summary>
/// A submission that comes as a multipart form: feeds slices of the body to the parser and sends what comes out where it
/// belongs. Holds one field's value at most; file parts go to their payloads slice by slice.
/// </summary>
internal sealed class FormIntake(SubmissionDraft draft, IntakeLimits limits) : IDisposable
{
    private readonly MultipartParser _outer = new(new MultipartLimits { MaxParts = limits.MaxParts, MaxPartHeadBytes = limits.MaxPartHeadBytes });
    private readonly NestedForm _nested = new(limits);
    private byte[]? _field;
    private int _fieldLength;
    private Payload? _payload;
    private bool _toReport;

    /// <summary>Whether the request that is being read is a form.</summary>
    public bool Begun { get; private set; }

    /// <summary>Prepares for the form that a Content-Type announces.</summary>
    public RejectReason Begin(ReadOnlySpan<byte> contentType)
    {
        Span<byte> boundary = stackalloc byte[Boundary.MaxBytes];
        if (!Boundary.TryRead(contentType, boundary, out var length))
        {
            return RejectReason.MissingBoundary;
        }

        _outer.Reset(boundary[..length]);
        Begun = true;
        return RejectReason.None;
    }

    /// <summary>Reads the whole form, to the end of its framing.</summary>
    public async ValueTask<RejectReason> ReadAsync(RequestBody body)
    {
        while (true)
        {
            var read = await body.ReadAsync();
            if (read.State is BodyState.Refused)
            {
                return read.Reason;
            }

            var rest = read.Bytes;
            while (true)
            {
                var step = read.State is BodyState.End ? _outer.Complete() : _outer.Next(rest, out var consumed).After(ref rest, consumed);
                if (step is MultipartEvent.Rejected)
                {
                    return body.Bytes == 0 ? RejectReason.EmptyBody : Reason(_outer.Fault);
                }

                if (step is MultipartEvent.NeedMore)
                {
                    break;
                }

                if (step is MultipartEvent.End)
                {
                    if (read.State is BodyState.End)
                    {
                        return RejectReason.None;
                    }

                    continue;
                }

                var handled = HandleAsync(_outer, step, nested: false);
                var reason = handled.IsCompletedSuccessfully ? handled.Result : await handled;
                if (reason is not RejectReason.None)
                {
                    return reason;
                }
            }
        }
    }

    /// <summary>Forgets the form.</summary>
    public void End()
    {
        Begun = false;
        _payload = null;
        _toReport = false;
        _fieldLength = 0;
        _nested.End();
        if (_field is { } field)
        {
            _field = null;
            ArrayPool<byte>.Shared.Return(field);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        End();
        _outer.Dispose();
        _nested.Dispose();
    }
}
