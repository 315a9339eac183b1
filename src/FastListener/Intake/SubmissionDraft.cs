using System.Buffers;
using System.Net;
using FastListener.Configuration;
using FastListener.Connections;
using FastListener.Protocol.Multipart;
using FastListener.Protocol.Text;
using FastListener.Storage;
using FastListener.Tokens;

namespace FastListener.Intake;

/// <summary>
/// A submission while its bytes arrive: what it has said about itself, its attributes, its report and attachments.
/// Owns the <see cref="Submission"/> until it is handed to the store; ending it before that erases every trace.
/// </summary>
internal sealed class SubmissionDraft : IDisposable
{
    private readonly IntakeServices _services;
    private readonly IntakeLimits _limits;
    private readonly ReportAttributes _reportAttributes = new();
    private readonly UnauthenticatedBytes _unauthenticated;
    private Submission? _submission;
    private int _attachments;
    private UploadTerms _terms;
    private IPAddress? _client;

    public SubmissionDraft(IntakeServices services)
    {
        _services = services;
        _limits = services.Limits;
        _unauthenticated = new UnauthenticatedBytes(services.Unauthenticated);
        Request = new IntakeRequest(services.Tokens);
        Ladder = new Ladder(payload => ReportChoice.MayBecome(Request, Report, payload.Head));
    }

    /// <summary>What the request has said about itself.</summary>
    public IntakeRequest Request { get; }

    /// <summary>Attachments that an object may have; 0 is unlimited.</summary>
    public int MaxAttachments => _terms.MaxAttachments;

    /// <summary>What the upload gives up while it cannot be kept whole.</summary>
    public Ladder Ladder { get; }

    /// <summary>The report, once a part or body of that role has begun.</summary>
    public Payload? Report { get; private set; }

    /// <summary>The submission that is being gathered.</summary>
    public Submission Submission => _submission ?? throw new InvalidOperationException("No submission has begun.");

    /// <summary>Begins to gather.</summary>
    public void Begin(IPAddress? client)
    {
        _client = client;
        _submission = _services.Store.Begin();
        _submission.ReceivedAt = _services.Time.GetUtcNow();
        if (client is not null)
        {
            _submission.SetClientAddress(client);
        }

        _reportAttributes.Reset();
        Ladder.Begin(_submission);
    }

    /// <summary>Puts the limits in force that hold for what is known of the request.</summary>
    public void ApplyTerms(RequestBody body)
    {
        var symbols = !Request.IsAttachment && ReportFormat.IsSymbols(Request.NamedFormat);
        _terms = UploadTerms.Of(_limits, _services.WholeRequest, _services.Overload.Options.Degrade, Request.Grant, symbols);
        body.MaxBytes = _terms.MaxBodyBytes;
        body.MaxWireBytes = _terms.MaxWireBytes;
        body.Whole = _terms.Whole;
    }

    /// <summary>Waits until the upload may begin.</summary>
    public ValueTask<RejectReason> AdmitAsync(RequestBody body)
    {
        body.Admission.Ladder = Ladder;
        if (Request.Grant is { } grant)
        {
            body.Admission.Payer = grant.Traffic;
            Charge(grant);
        }

        return body.Admission.EnterAsync();
    }

    /// <summary>
    /// Call between two slices: when the token has come meanwhile, its limits hold from here on, and it pays; when it has not, and much else has, the next
    /// slice may have to wait.
    /// </summary>
    public ValueTask<RejectReason> SettleAsync(RequestBody body)
    {
        if (Request.Grant is not { } grant)
        {
            return _unauthenticated.NeedsShare ? body.Admission.StageAsync(_client) : new(RejectReason.None);
        }

        if (ReferenceEquals(grant.Traffic, body.Admission.Payer))
        {
            return new(RejectReason.None);
        }

        ApplyTerms(body);
        Charge(grant);
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
        _unauthenticated.Settle();
        _submission?.Dispose();
        _submission = null;
        Report = null;
        _attachments = 0;
        _reportAttributes.Return();
        Ladder.End();
        Request.Reset();
    }

    /// <inheritdoc/>
    public void Dispose() => End();

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
                _unauthenticated.Settle();
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
        Ladder.Consider(Report);
        return Report;
    }

    /// <summary>Begins an attachment.</summary>
    public Payload BeginAttachment(ReadOnlySpan<byte> name, ReadOnlySpan<byte> fileName, ReadOnlySpan<byte> contentType, out RejectReason reason)
    {
        var tooMany = ++_attachments > _terms.MaxAttachments && _terms.MaxAttachments != 0;
        reason = tooMany && !Ladder.MayDropAttachments ? RejectReason.TooManyAttachments : RejectReason.None;
        if (Request.IsAttachment && _attachments == 1 && Request.AttachmentName is { Length: > 0 } asked)
        {
            name = asked;
        }

        var payload = Submission.AddPayload(PayloadKind.Attachment, name.IsEmpty ? "attachment"u8 : name, fileName, contentType);
        if (tooMany && reason is RejectReason.None)
        {
            Ladder.Omit(payload, "too_many_attachments"u8);
        }
        else if (Report is not null || Request.IsAttachment)
        {
            Ladder.Consider(payload);
        }

        return payload;
    }

    /// <summary>Whether a payload may grow by these bytes; where the operator allows it, one that may not is given up instead of the upload.</summary>
    public RejectReason CheckSize(Payload payload, ReadOnlySpan<byte> more)
    {
        if (payload.IsOmitted)
        {
            return RejectReason.None;
        }

        var tooLarge = payload.Kind is PayloadKind.Attachment
            && _terms.MaxAttachmentBytes != 0
            && payload.Length + more.Length > _terms.MaxAttachmentBytes
            && !ReportChoice.MayBecome(Request, Report, payload.Length == 0 ? more : payload.Head);
        if (tooLarge && !Ladder.MayDropAttachments)
        {
            return RejectReason.AttachmentTooLarge;
        }

        if (tooLarge)
        {
            Ladder.Omit(payload, "attachment_too_large"u8);
        }
        else if (payload.Length != 0)
        {
            Ladder.Consider(payload);
        }

        return RejectReason.None;
    }

    /// <summary>Looks, where nothing else is wrong, whether the submission has said more about itself than is stored: with each part, before what is said fills memory.</summary>
    public RejectReason CheckMetadata(RejectReason reason) =>
        reason is RejectReason.None && Submission.MetadataBytes > StoreOptions.MaxMetadataBytes ? RejectReason.TooMuchMetadata : reason;

    /// <summary>Accounts for bytes about to be staged. Before the token is known there may not be many.</summary>
    public RejectReason Account(int bytes) => Request.Grant is null ? _unauthenticated.Take(bytes) : RejectReason.None;

    /// <summary>Accounts for what a part is called, which is held in memory, in the same way.</summary>
    public RejectReason AccountNames(PartHeaders part) => Request.Grant is null ? _unauthenticated.TakeNames(part) : RejectReason.None;

    /// <summary>Looks at bytes of the report for the attributes that a JSON report carries.</summary>
    public void InspectReport(ReadOnlyMemory<byte> bytes)
    {
        if (!_reportAttributes.Finished && !Request.IsAttachment)
        {
            _reportAttributes.Append(bytes.Span, Submission, _limits);
        }
    }

    /// <summary>Ends a payload: all its bytes are here.</summary>
    public ValueTask CompleteAsync(Payload payload)
    {
        if (ReferenceEquals(payload, Report))
        {
            _reportAttributes.Complete(Submission, _limits);
        }

        return payload.CompleteAsync();
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
        submission.Project = _services.Store.Project(grant.Universe, grant.Project);
        if (Request.IsAttachment)
        {
            return submission.Payloads.Count == 0 ? RejectReason.EmptyBody : RejectReason.None;
        }

        Report ??= ReportChoice.Promote(Submission, Request);
        if (Report is null)
        {
            return RejectReason.MissingReport;
        }

        submission.Format = ReportChoice.Decide(submission, Request, Report, out reason);
        return reason is RejectReason.None && !Request.MayPost(submission.Format) ? RejectReason.InvalidToken : reason;
    }

    private void Charge(TokenGrant grant)
    {
        Submission.Account = grant.Key;
        Ladder.Allow(_terms.Degrade);
    }
}
