using System.Buffers;
using System.Net;
using FastListener.Configuration;
using FastListener.Connections;
using FastListener.Protocol.Text;
using FastListener.Storage;

namespace FastListener.Intake;

/// <summary>
/// A submission while its bytes arrive: what it has said about itself, its attributes, its report and attachments.
/// Owns the <see cref="Submission"/> until it is handed to the store; ending it before that erases every trace.
/// </summary>
internal sealed class SubmissionDraft(IntakeServices services) : IDisposable
{
    private readonly IntakeLimits _limits = services.Limits;
    private readonly ReportAttributes _reportAttributes = new();
    private Submission? _submission;
    private long _unauthenticated;
    private int _attachments;
    private UploadTerms _terms;

    /// <summary>What the request has said about itself.</summary>
    public IntakeRequest Request { get; } = new(services.Tokens);

    /// <summary>The report, once a part or body of that role has begun.</summary>
    public Payload? Report { get; private set; }

    /// <summary>The submission that is being gathered.</summary>
    public Submission Submission => _submission ?? throw new InvalidOperationException("No submission has begun.");

    /// <summary>Begins to gather.</summary>
    public void Begin(IPAddress? client)
    {
        _submission = services.Store.Begin();
        _submission.ReceivedAt = services.Time.GetUtcNow();
        if (client is not null)
        {
            _submission.SetClientAddress(client);
        }

        _reportAttributes.Reset();
    }

    /// <summary>Puts the limits in force that hold for what is known of the request.</summary>
    public void ApplyTerms(RequestBody body)
    {
        var symbols = !Request.IsAttachment && ReportFormat.IsSymbols(Request.NamedFormat);
        _terms = UploadTerms.Of(_limits, services.WholeRequest, services.Overload.Options.Degrade, Request.Grant, symbols);
        body.MaxBytes = _terms.MaxBodyBytes;
        body.MaxWireBytes = _terms.MaxWireBytes;
        body.Whole = _terms.Whole;
    }

    /// <summary>Waits until the upload may begin.</summary>
    public ValueTask<RejectReason> AdmitAsync(RequestBody body)
    {
        if (Request.Grant is { } grant)
        {
            body.Admission.Payer = grant.Traffic;
        }

        return body.Admission.EnterAsync();
    }

    /// <summary>Call between two slices: when the token has come meanwhile, its limits hold from here on, and it pays.</summary>
    public ValueTask<RejectReason> SettleAsync(RequestBody body)
    {
        if (Request.Grant is not { } grant || ReferenceEquals(grant.Traffic, body.Admission.Payer))
        {
            return new(RejectReason.None);
        }

        ApplyTerms(body);
        return body.Admission.ChangePayerAsync(grant.Traffic);
    }

    /// <summary>Hands the submission over: from here on it is the caller's.</summary>
    public Submission Release()
    {
        var submission = Submission;
        _submission = null;
        return submission;
    }

    /// <summary>Forgets the request; a submission that was not handed over is erased.</summary>
    public void End()
    {
        SettleBudget();
        _submission?.Dispose();
        _submission = null;
        Report = null;
        _attachments = 0;
        Request.Reset();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        End();
        _reportAttributes.Dispose();
    }

    /// <summary>Takes the attributes of a query: every pair that does not steer the request.</summary>
    public RejectReason AddQuery(ReadOnlySpan<byte> query)
    {
        var pairs = new QueryReader(query);
        while (pairs.MoveNext())
        {
            if (pairs.Name.IsEmpty || Request.IsControl(pairs.Name, pairs.Value))
            {
                continue;
            }

            var rented = ArrayPool<byte>.Shared.Rent(pairs.Name.Length + pairs.Value.Length);
            var nameLength = PercentDecoding.Decode(pairs.Name, rented, plusIsSpace: true);
            var valueLength = PercentDecoding.Decode(pairs.Value, rented.AsSpan(nameLength), plusIsSpace: true);
            var reason = AddAttribute(AttributeSource.Query, rented.AsSpan(0, nameLength), rented.AsSpan(nameLength, valueLength));
            ArrayPool<byte>.Shared.Return(rented);
            if (reason is not RejectReason.None)
            {
                return reason;
            }
        }

        return RejectReason.None;
    }

    /// <summary>Takes a form field: a token, a format or an attribute.</summary>
    public RejectReason AddField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.SequenceEqual("token"u8))
        {
            var reason = Request.TakeToken(value);
            if (reason is RejectReason.None)
            {
                SettleBudget();
            }

            return reason;
        }

        if (name.SequenceEqual("format"u8))
        {
            Request.TakeFormat(value.Trim(" \t\r\n"u8));
            return RejectReason.None;
        }

        return AddAttribute(AttributeSource.Field, name, value);
    }

    /// <summary>Begins the report. A second one is kept as an attachment and noted: nothing a client sends is dropped.</summary>
    public Payload BeginReport(ReadOnlySpan<byte> name, ReadOnlySpan<byte> fileName, ReadOnlySpan<byte> contentType, out RejectReason reason)
    {
        if (Report is not null || Request.IsAttachment)
        {
            if (!Request.IsAttachment)
            {
                Submission.AddNote("a further report was sent; it is kept as an attachment"u8);
            }

            return BeginAttachment(fileName.IsEmpty ? name : PartClass.BaseName(fileName), fileName, contentType, out reason);
        }

        reason = RejectReason.None;
        Report = Submission.AddPayload(PayloadKind.Report, name, fileName, contentType);
        return Report;
    }

    /// <summary>Begins an attachment.</summary>
    public Payload BeginAttachment(ReadOnlySpan<byte> name, ReadOnlySpan<byte> fileName, ReadOnlySpan<byte> contentType, out RejectReason reason)
    {
        reason = ++_attachments > _terms.MaxAttachments && _terms.MaxAttachments != 0
            ? RejectReason.TooManyAttachments
            : RejectReason.None;
        if (Request.IsAttachment && _attachments == 1 && Request.AttachmentName is { Length: > 0 } asked)
        {
            name = asked;
        }

        return Submission.AddPayload(PayloadKind.Attachment, name.IsEmpty ? "attachment"u8 : name, fileName, contentType);
    }

    /// <summary>Whether a payload may grow by these bytes.</summary>
    public RejectReason CheckSize(Payload payload, ReadOnlySpan<byte> more)
    {
        return _terms.MaxAttachmentBytes == 0
            || payload.Length + more.Length <= _terms.MaxAttachmentBytes
            || payload.Kind is PayloadKind.Report
            || MayBecomeReport(payload.Length == 0 ? more : payload.Head)
                ? RejectReason.None
                : RejectReason.AttachmentTooLarge;
    }

    /// <summary>Accounts for bytes about to be staged. Before the token is known they come out of a common budget.</summary>
    public RejectReason Account(int bytes)
    {
        if (Request.Grant is not null)
        {
            return RejectReason.None;
        }

        if (!services.Unauthenticated.TryTake(bytes))
        {
            return RejectReason.TokenTooLate;
        }

        _unauthenticated += bytes;
        return RejectReason.None;
    }

    /// <summary>Looks at bytes of the report for the attributes that a JSON report carries.</summary>
    public void InspectReport(ReadOnlyMemory<byte> bytes)
    {
        if (!_reportAttributes.Finished && !Request.IsAttachment)
        {
            _reportAttributes.Append(bytes.Span, Submission, _limits);
        }
    }

    /// <summary>Takes one attribute, within the limits.</summary>
    public RejectReason AddAttribute(AttributeSource source, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.Length > _limits.MaxAttributeNameBytes)
        {
            return RejectReason.AttributeNameTooLong;
        }

        if (Submission.AttributeBytes + name.Length + value.Length > _limits.MaxAttributeBytes
            || (Submission.AttributeCount >= _limits.MaxAttributes && _limits.MaxAttributes != 0))
        {
            return RejectReason.TooManyAttributes;
        }

        Submission.AddAttribute(source, name, value);
        return RejectReason.None;
    }

    /// <summary>
    /// The last look before the store: a token that may, a report that can be what it was called. Everything the client
    /// sent is here and the body has ended as its framing, form and compression say.
    /// </summary>
    public RejectReason Complete()
    {
        if (Request.Grant is not { } grant)
        {
            return RejectReason.InvalidToken;
        }

        var reason = Request.CheckCapability();
        if (reason is not RejectReason.None)
        {
            return reason;
        }

        var submission = Submission;
        submission.Project = services.Store.Project(grant.Universe, grant.Project);
        if (Request.IsAttachment)
        {
            return submission.Payloads.Count == 0 ? RejectReason.EmptyBody : RejectReason.None;
        }

        Report ??= Promote();
        if (Report is null)
        {
            return RejectReason.MissingReport;
        }

        submission.Format = Decide(Report, out reason);
        return reason;
    }

    private ObjectFormat Decide(Payload report, out RejectReason reason)
    {
        var format = Request.NamedFormat;
        var seen = ReportFormat.Sniff(report.Head);
        if (Request.FormatsDiffer)
        {
            Submission.AddNote("two different formats were named; the content decided"u8);
            format = seen is ObjectFormat.Unknown ? Request.LastNamedFormat : seen;
        }
        else if (format is ObjectFormat.Unknown)
        {
            format = seen is not ObjectFormat.Unknown ? seen
                : ReportFormat.Compression(report.Head).IsEmpty ? ObjectFormat.Btt
                : ObjectFormat.Minidump;
        }

        reason = ReportFormat.Judge(format, report.Head, report.Length);
        if (format is ObjectFormat.Minidump && ReportFormat.Compression(report.Head) is { IsEmpty: false } coding)
        {
            Submission.AddNote(coding.SequenceEqual("gzip"u8) ? "the report is gzip data, kept as sent"u8
                : coding.SequenceEqual("zstd"u8) ? "the report is zstd data, kept as sent"u8
                : coding.SequenceEqual("xz"u8) ? "the report is xz data, kept as sent"u8
                : "the report is bzip2 data, kept as sent"u8);
        }

        return format;
    }

    /// <summary>Whether a file of a form that has had no report yet looks as if it were the report (see <see cref="Promote"/>).</summary>
    private bool MayBecomeReport(ReadOnlySpan<byte> head) =>
        Report is null && !Request.IsAttachment
        && (ReportFormat.IsSymbols(Request.NamedFormat) || ReportFormat.Sniff(head) is not ObjectFormat.Unknown);

    /// <summary>A form without a part named upload_file: the first file that looks like what was announced is the report.</summary>
    private Payload? Promote()
    {
        var wanted = Request.NamedFormat;
        for (var i = 0; i < Submission.Payloads.Count; i++)
        {
            var payload = Submission.Payloads[i];
            var seen = ReportFormat.Sniff(payload.Head);
            if (ReportFormat.IsSymbols(wanted) || (seen is not ObjectFormat.Unknown && (wanted == seen || wanted is ObjectFormat.Unknown)))
            {
                payload.Kind = PayloadKind.Report;
                Submission.AddNote("the report was sent under another name than upload_file"u8);
                return payload;
            }
        }

        return null;
    }

    private void SettleBudget()
    {
        services.Unauthenticated.Return(_unauthenticated);
        _unauthenticated = 0;
    }
}
