using System.Net;
using System.Runtime.CompilerServices;
using FastListener.Connections;
using FastListener.Diagnostics;
using FastListener.Protocol.Http;
using FastListener.Protocol.Multipart;
using FastListener.Storage;

namespace FastListener.Intake;

/// <summary>
/// One submission's life, from its head to the reply: route, token, body, store. Sees body readers and payloads,
/// never a socket. One at a time; used again for the next request.
/// </summary>
/// <remarks>The order keeps the promise: a success reply is made only from a receipt, and a receipt only after the commit.</remarks>
internal sealed class SubmissionIntake : IDisposable
{
    private readonly IntakeServices _services;
    private readonly SubmissionDraft _draft;
    private readonly FormIntake _form;
    private readonly SuccessReply _success = new();
    private IPAddress? _client;
    private RequestBody? _body; // while a request is under way
    private RequestBody? _settling; // the last one's
    private long _since;
    private volatile UploadStage _stage;

    public SubmissionIntake(IntakeServices services)
    {
        _services = services;
        _draft = new SubmissionDraft(services);
        _form = new FormIntake(_draft, services.Limits);
    }

    /// <summary>Takes one request in. The reply's bytes stay valid until the next call.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ReplyMessage> HandleAsync(RequestHead head, RequestBody body, IPAddress? client)
    {
        _client = client;
        _since = _services.Time.GetTimestamp();
        _settling = body;
        _stage = UploadStage.Head;
        Volatile.Write(ref _body, body);
        try
        {
            var reason = Open(head, body);
            if (reason is not RejectReason.None)
            {
                return await RefuseAsync(reason);
            }

            if (head.Method is RequestMethod.Options)
            {
                return SuccessReply.Preflight;
            }

            _stage = UploadStage.Waiting;
            var admitting = _draft.AdmitAsync(body);
            reason = admitting.IsCompletedSuccessfully ? admitting.Result : await admitting;
            if (reason is RejectReason.None)
            {
                _stage = UploadStage.Body;
                reason = _form.Begun ? await _form.ReadAsync(body) : await ReadRawAsync(body);
            }

            body.Admission.EndTurn(); // what follows waits for disks, or lets guessers of tokens wait
            if (reason is RejectReason.None)
            {
                reason = _draft.Complete();
            }

            if (reason is RejectReason.None && _draft.Request.IsAttachment)
            {
                reason = Resolve();
            }

            if (reason is not RejectReason.None)
            {
                return await RefuseAsync(reason);
            }

            var storing = BeginStoring(body);
            return Stored(await _services.Store.CommitAsync(_draft.Release()), storing, body.WireBytes);
        }
        catch (StorageFaultException fault)
        {
            if (_stage is not UploadStage.Commit)
            {
                _services.StorageFaults.Report(fault); // of a batch that failed the store has said it itself
            }

            return Refuse(StorageRefusals.Reason(fault.Kind));
        }
        catch (Exception fault) when (body.ClientLost)
        {
            if (body.EndedByStop(fault))
            {
                Refuse(RejectReason.Stopping); // for the books and the log: no reply gets through any more
            }
            else
            {
                body.Entry.Settle(LedgerOutcome.BrokenOff, body.WireBytes);
            }

            throw;
        }
        finally
        {
            Volatile.Write(ref _body, null);
            body.Entry.Account = _draft.Request.Grant?.Key ?? "";
            _form.End();
            _draft.End();
        }
    }

    /// <summary>The upload under way, as far as it can be told from another thread; null between two.</summary>
    public UploadInFlight? InFlight
    {
        get
        {
            if (Volatile.Read(ref _body) is not { } body)
            {
                return null;
            }

            var grant = _draft.Request.Grant;
            return new UploadInFlight(
                grant?.Masked ?? "",
                grant?.Key ?? "",
                grant is null ? "" : $"{grant.Universe}/{grant.Project}",
                _client?.ToString() ?? "",
                _services.Time.GetElapsedTime(_since),
                body.WireBytes,
                _stage is UploadStage.Body && body.Admission.IsHeld ? UploadStage.Waiting : _stage);
        }
    }

    /// <summary>The reply for a refusal; says what the report looks like where that helps.</summary>
    public ReplyMessage Refuse(RejectReason reason)
    {
        _services.Figures.CountRefused((int)reason);
        _settling?.Entry.Settle(reason is RejectReason.TruncatedBody ? LedgerOutcome.BrokenOff : Refusal.For(reason).Word, _settling.WireBytes);
        IntakeLog.Refused(_services.Log, Refusal.For(reason).Word, _client);
        return reason is RejectReason.NotAMinidump or RejectReason.NotJson or RejectReason.NotPlcrash && _draft.Report is { } report
            ? ErrorReply.Create(reason, ReportFormat.Describe(report.Head))
            : ErrorReply.Create(reason);
    }

    private async ValueTask<ReplyMessage> RefuseAsync(RejectReason reason)
    {
        // Whatever the answer is: if only some of them were held back, the others would tell a guesser as much. Who sends valid tokens only never waits here.
        var request = _draft.Request;
        if (request.SentWrongToken || (reason is RejectReason.InvalidToken && request.Grant is null))
        {
            _stage = UploadStage.HeldBack;
            await _services.Guesses.CountAsync(_client);
        }

        return Refuse(reason);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _form.Dispose();
        _draft.Dispose();
    }

    /// <summary>Everything that can be decided from the head, before a byte of the body is asked for.</summary>
    private RejectReason Open(RequestHead head, RequestBody body)
    {
        var route = SubmissionRoute.Parse(head.PathAndQuery);
        var asksOptions = head.Method is RequestMethod.Options;
        if (asksOptions || route.Kind is not RouteKind.Submission)
        {
            body.Entry.Dismiss(); // no token is asked for: the ledger is about those that reach the check
            return asksOptions && (route.Kind is RouteKind.Submission || head.Target.SequenceEqual("*"u8)) ? RejectReason.None
                : route.Kind is RouteKind.Console ? RejectReason.ConsoleRequest
                : RejectReason.UnknownPath;
        }

        var request = _draft.Request;
        var reason = request.Read(route);
        if (!route.Format.IsEmpty && request.Grant is null && !ReportFormat.TryParse(route.Format, out _))
        {
            return RejectReason.UnknownPath; // three segments that are neither a format nor a known token: no URL of ours
        }

        if (head.Method is not RequestMethod.Post)
        {
            return RejectReason.MethodNotAllowed;
        }

        if (request.NamesResource)
        {
            return RejectReason.ConsoleRequest;
        }

        if (reason is RejectReason.None)
        {
            reason = request.CheckCapability();
        }

        if (reason is not RejectReason.None)
        {
            return reason;
        }

        var multipart = Boundary.IsMultipart(head.ContentType);
        if (request.Grant is null && !multipart)
        {
            return RejectReason.InvalidToken;
        }

        if (head.ContentCoding is ContentCoding.Unsupported)
        {
            return RejectReason.UnsupportedContentCoding;
        }

        body.Begin(head.ContentCoding);
        _draft.ApplyTerms(body);
        if (body.MaxWireBytes != 0 && head.Framing.Length > body.MaxWireBytes)
        {
            return RejectReason.WireTooLarge;
        }

        if (body.MaxBytes != 0 && head.Framing.Length > body.MaxBytes)
        {
            return RejectReason.BodyTooLarge;
        }

        if (request.IsAttachment && request.Grant is not null && Resolve(out _) is var missing and not RejectReason.None)
        {
            return missing;
        }

        _draft.Begin(_client);
        reason = _draft.AddQuery(route.Glued);
        if (reason is RejectReason.None)
        {
            reason = _draft.AddQuery(route.Query);
        }

        return reason is RejectReason.None && multipart ? _form.Begin(head.ContentType) : reason;
    }

    /// <summary>A body that is the report, or the attachment, itself: whatever its Content-Type says.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<RejectReason> ReadRawAsync(RequestBody body)
    {
        var payload = _draft.Request.IsAttachment
            ? _draft.BeginAttachment(default, default, default, out var reason)
            : _draft.BeginReport("upload_file"u8, default, default, out reason);
        var judged = _draft.Request.IsAttachment || _draft.Request.FormatsDiffer;
        while (reason is RejectReason.None)
        {
            var read = await body.ReadAsync();
            if (read.State is not BodyState.Data)
            {
                reason = payload.Length == 0 && read.State is BodyState.End ? RejectReason.EmptyBody : read.Reason;
                break;
            }

            reason = _draft.CheckSize(payload, read.Bytes.Span);
            if (reason is not RejectReason.None)
            {
                break;
            }

            _draft.InspectReport(read.Bytes);
            var write = payload.WriteAsync(read.Bytes);
            if (!write.IsCompletedSuccessfully)
            {
                await write;
            }

            if (!judged && payload.Length >= ReportFormat.SniffBytes)
            {
                // The wrong kind of file is refused after its first bytes, not after its last.
                judged = true;
                reason = ReportFormat.Judge(_draft.Request.NamedFormat, payload.Head, payload.Length);
            }
        }

        if (reason is RejectReason.None)
        {
            await _draft.CompleteAsync(payload);
        }

        return reason;
    }

    /// <summary>The form is read, so that its buffers are for others while the disk writes; what the reply will say is kept, since the draft is handed over.</summary>
    private Storing BeginStoring(RequestBody body)
    {
        _form.End();
        var submission = _draft.Submission;
        submission.WireBytes = body.WireBytes;
        submission.Entry = body.Entry;
        _stage = UploadStage.Commit;
        return new(_draft.Request.IsAttachment ? submission.Payloads[0].Name.ToArray() : null, _draft.Ladder.Given);
    }

    private ReplyMessage Stored(Receipt receipt, Storing storing, long wireBytes)
    {
        var reply = storing.Attachment is { } name ? SuccessReply.Attached(receipt, name) : _success.Stored(receipt);
        _services.Figures.CountAccepted(wireBytes);
        if (storing.Given is Degradation.None)
        {
            return reply;
        }

        _services.Figures.CountDegraded(storing.Given.Word(), _draft.Ladder.Reason);
        IntakeLog.Degraded(_services.Log, storing.Given.Word(), _draft.Ladder.Reason);
        return reply with { Extra = SuccessReply.Degraded(storing.Given) };
    }

    private RejectReason Resolve()
    {
        var reason = Resolve(out var id);
        _draft.Submission.FollowUpOf = id;
        _draft.Submission.MaxPayloadsOfObject = _draft.MaxAttachments == 0 ? 0 : _draft.MaxAttachments + 1;
        return reason;
    }

    private RejectReason Resolve(out long id)
    {
        id = 0;
        var request = _draft.Request;
        if (request.ObjectUnreadable)
        {
            return RejectReason.UnknownObject;
        }

        var project = _services.Store.Project(request.Grant!.Universe, request.Grant.Project);
        return _services.Store.TryResolve(request.Object, project, out id) ? RejectReason.None : RejectReason.UnknownObject;
    }

    /// <summary>What the reply to a submission needs once it is durable: an attachment's name, and how much of it was given up.</summary>
    private readonly record struct Storing(byte[]? Attachment, Degradation Given);
}
