using System.Diagnostics;

namespace FastListener.Intake;

/// <summary>
/// One row of the refusal table: what the client is told and what becomes of its connection.
/// </summary>
/// <param name="Status">HTTP status code (RFC 9110 section 15).</param>
/// <param name="Code">Integer for <c>error.code</c> in the reply; 6 is coronerd's "invalid token", the others are ours.</param>
/// <param name="Word">Stable machine-readable word: reply header, log and metric tag.</param>
/// <param name="Message">A sentence for <c>error.message</c>.</param>
/// <param name="Closes">Whether the connection ends, because what follows on it cannot be trusted or will not be read.</param>
/// <param name="RetryAfter">Seconds for <c>Retry-After</c> (RFC 9110 section 10.2.3); 0 sends none. No known client reads it.</param>
internal sealed record Refusal(int Status, int Code, string Word, string Message, bool Closes, int RetryAfter = 0)
{
    /// <summary>Bytes of a body that are read and dropped after an early refusal, so that the client sees the answer.</summary>
    public const long DrainBytes = 64L * 1024 * 1024;

    /// <summary>What whoever sends, or runs the listener, can do about it. For <c>REFUSALS.md</c>, never on the wire.</summary>
    public static string Cure(RejectReason reason) => reason switch
    {
        RejectReason.None => "",
        RejectReason.MalformedHead => "Send HTTP/1.1 or 1.0 with CRLF line ends; on the HTTPS port, send TLS.",
        RejectReason.HeadTooLarge or RejectReason.TooManyFields => "Send fewer or shorter header fields, or raise `Limits:MaxHeadBytes`, `Limits:MaxFields`.",
        RejectReason.TargetTooLong => "Send attributes as form fields instead of in the query, or raise `Limits:MaxTargetBytes`.",
        RejectReason.UnsupportedVersion => "Switch HTTP/2 off in the client or proxy.",
        RejectReason.AmbiguousFraming => "Send either one Content-Length or `Transfer-Encoding: chunked`; a proxy that adds the other is broken.",
        RejectReason.HeadTimeout => "Slow network or a scanner; raise `Deadlines:HeadSeconds` if clients are honest.",
        RejectReason.UnknownPath => "Post to `/post`, `/api/post`, `/` or `/<universe>/<token>/<format>`.",
        RejectReason.MethodNotAllowed => "Use POST.",
        RejectReason.ConsoleRequest => "Point morgue and the web console at coronerd's console, not at this port.",
        RejectReason.UnknownFormat => "Name a known format, or none: then the content decides.",
        RejectReason.InvalidToken => "Check the token, its capability (`fastlistener token list`), and the universe in the URL.",
        RejectReason.ConflictingTokens => "Send one token, in one place.",
        RejectReason.TokenTooLate => "Put the token in the URL or in the first field, or raise `Limits:MaxUnauthenticatedBytes`: a sixteenth of it is what one form may bring.",
        RejectReason.TokenTimeout => "Put the token in the URL or in the first field; for honest slow networks raise `Deadlines:TokenSeconds`.",
        RejectReason.UnknownObject => "Use the `_rxid` of the first reply, and a token of the same project.",
        RejectReason.MalformedChunk => "The client or a proxy writes bad chunks; nothing to set.",
        RejectReason.UnsupportedContentCoding => "Use gzip, deflate or none.",
        RejectReason.MalformedCompression => "Leave Content-Encoding away, or compress the whole body.",
        RejectReason.TruncatedCompression => "Send again; if it repeats, the client's compressor is not finished before it sends.",
        RejectReason.InflationLimit => "A bomb, or a dump of zeros: raise `Limits:MaxInflationRatio` or `Limits:InflationGraceBytes`.",
        RejectReason.BodyTooLarge => "Raise `Limits:MaxBodyBytes` (`Limits:MaxSymbolBytes` for symbols), or the token's `maxBodyBytes`.",
        RejectReason.WireTooLarge => "Raise `Limits:MaxWireBytes`, or the token's `maxWireBytes`.",
        RejectReason.EmptyBody => "Check the file that was to be sent.",
        RejectReason.TruncatedBody => "Send again.",
        RejectReason.BodyTimeout => "Send again; for honest slow networks raise `Deadlines:BodyStallSeconds`, lower `Deadlines:MinBodyBytesPerSecond`.",
        RejectReason.RequestTimeout => "Raise `Deadlines:RequestSeconds`, or the token's `requestSeconds`; 0 switches it off.",
        RejectReason.MissingBoundary => "Let the HTTP library set the Content-Type of a form.",
        RejectReason.MalformedMultipart => "Compare the body with RFC 7578; the boundary may not be the one in the header.",
        RejectReason.TruncatedMultipart => "Send again; if it repeats, the form lacks its closing boundary.",
        RejectReason.TooManyParts => "Send fewer parts, or raise `Limits:MaxParts`.",
        RejectReason.PartHeadTooLarge => "Shorten names, or raise `Limits:MaxPartHeadBytes`.",
        RejectReason.AttributeNameTooLong => "Shorten the name, or raise `Limits:MaxAttributeNameBytes`.",
        RejectReason.TooManyAttributes => "Send large texts as attachments, or raise `Limits:MaxAttributes`, `Limits:MaxAttributeBytes`.",
        RejectReason.TooManyAttachments => "Send fewer, raise `Limits:MaxAttachments` or the token's `maxAttachments`.",
        RejectReason.AttachmentTooLarge =>
            "Raise `Limits:MaxAttachmentBytes` or the token's `maxAttachmentBytes`, or let the token `degrade` by `without_attachments`: then the rest is kept.",
        RejectReason.TooMuchMetadata => "Send fewer parts, or shorter names and file names: no setting raises what one record of the store holds.",
        RejectReason.MissingReport => "Name the part `upload_file` or `upload_file_minidump`.",
        RejectReason.NotAMinidump or RejectReason.NotJson or RejectReason.NotPlcrash => "Read the message: it says what the report looks like; mind curl's `@`.",
        RejectReason.Overloaded => "Send again later. More disk or memory; or name rungs (`degrade`): then bytes are given up instead. See `OPERATING.md`.",
        RejectReason.TokenOverRate => "Send again later; raise the token's `bytesPerSecond`, or let it `degrade`.",
        RejectReason.TooManyUploads => "Send again later; raise `Limits:MaxUploads`.",
        RejectReason.TooManyUploadsOfToken => "Send again later; raise the token's `maxUploads` (`Limits:MaxUploadsPerToken`).",
        RejectReason.TooManyWithoutToken => "Put the token in the URL or in the first field; send again later.",
        RejectReason.TooManyConnections => "Send again later; raise `Limits:MaxConnections` and the limit of open files.",
        RejectReason.TooManyConnectionsOfAddress => "Raise `Limits:MaxConnectionsPerAddress`, or switch it off: carriers and proxies share addresses.",
        RejectReason.StorageFull => "Free disk space; the listener goes on by itself.",
        RejectReason.StorageReadOnly => "Mount the data directory read-write; the listener goes on by itself.",
        RejectReason.StorageFault => "Read the log: the disk failed, and the listener goes on by itself when it works again; or the store did, and the listener ends itself, to be started anew.",
        RejectReason.Stopping => "Send again when it is back; for slow uploads raise `Deadlines:ShutdownSeconds`.",
        RejectReason.InternalFault => "A defect of the listener: report it with the log.",
        _ => throw new UnreachableException($"No cure for {reason}."),
    };

    private static readonly Refusal[] Rows = [.. Enum.GetValues<RejectReason>().Select(Create)];

    /// <summary>Every word, at the position of its reason.</summary>
    public static IReadOnlyList<string> Words { get; } = [.. Rows.Select(row => row.Word)];

    /// <summary>The row for a reason. Never null; asking for <see cref="RejectReason.None"/> is a programming error.</summary>
    public static Refusal For(RejectReason reason) => Rows[(int)reason];

    private static Refusal Create(RejectReason reason) => reason switch
    {
        RejectReason.None => new(500, 500, "none", "No reason was given.", Closes: true),

        RejectReason.MalformedHead => new(400, 100, "malformed_head", "The request line or a header field is malformed.", Closes: true),
        RejectReason.HeadTooLarge => new(431, 101, "head_too_large", "The request line and header fields are larger than this listener accepts.", Closes: true),
        RejectReason.TooManyFields => new(431, 102, "too_many_fields", "The request has more header fields than this listener accepts.", Closes: true),
        RejectReason.TargetTooLong => new(414, 103, "target_too_long", "The URL is longer than this listener accepts; send attributes as form fields.", Closes: true),
        RejectReason.UnsupportedVersion => new(505, 104, "unsupported_version", "This listener speaks HTTP/1.1 and HTTP/1.0.", Closes: true),
        RejectReason.AmbiguousFraming => new(400, 105, "ambiguous_framing", "Content-Length and Transfer-Encoding do not say clearly where the body ends.", Closes: true),
        RejectReason.HeadTimeout => new(408, 106, "head_timeout", "The request head did not arrive in time.", Closes: true),

        RejectReason.UnknownPath => new(404, 110, "unknown_path", "There is nothing here; submissions go to /post?format=<format>&token=<token>.", Closes: false),
        RejectReason.MethodNotAllowed => new(405, 111, "method_not_allowed", "Submissions are sent with POST.", Closes: false),
        RejectReason.ConsoleRequest => new(404, 112, "console_request", "This is the submission listener; console requests go to the console's own address.", Closes: false),
        RejectReason.UnknownFormat => new(400, 113, "unknown_format", "The format is not one of btt, json, minidump, plcrash, proguard, sourcemap, symbols.", Closes: false),

        RejectReason.InvalidToken => new(403, 6, "invalid_token", "invalid token", Closes: false),
        RejectReason.ConflictingTokens => new(403, 6, "conflicting_tokens", "invalid token", Closes: false),
        RejectReason.TokenTooLate => new(403, 120, "token_too_late", "Too much arrived before the token field; send the token in the URL or as the first field.", Closes: true),
        RejectReason.TokenTimeout => new(408, 122, "token_timeout", "The token field did not arrive in time, and others waited; send the token in the URL or as the first field.", Closes: true),
        RejectReason.UnknownObject => new(404, 121, "unknown_object", "No object of this project has that id.", Closes: false),

        RejectReason.MalformedChunk => new(400, 130, "malformed_chunk", "The chunked coding of the body is malformed.", Closes: true),
        RejectReason.UnsupportedContentCoding => new(415, 131, "unsupported_content_coding", "Content-Encoding may be gzip or deflate.", Closes: false),
        RejectReason.MalformedCompression => new(400, 132, "malformed_compression", "The body is not what its Content-Encoding says.", Closes: true),
        RejectReason.TruncatedCompression => new(400, 133, "truncated_compression", "The compressed body ends before it is complete.", Closes: true),
        RejectReason.InflationLimit => new(413, 134, "inflation_limit", "The body inflates to far more than it was sent as.", Closes: true),
        RejectReason.BodyTooLarge => new(413, 135, "body_too_large", "The body is larger than this listener accepts.", Closes: true),
        RejectReason.WireTooLarge => new(413, 139, "wire_too_large", "More bytes came over the wire than this listener accepts in one body.", Closes: true),
        RejectReason.EmptyBody => new(400, 136, "empty_body", "The body is empty; nothing was submitted.", Closes: false),
        RejectReason.TruncatedBody => new(400, 137, "truncated_body", "The connection ended before the body was complete.", Closes: true),
        RejectReason.BodyTimeout => new(408, 138, "body_timeout", "The body stalled or arrived too slowly.", Closes: true),
        RejectReason.RequestTimeout => new(408, 107, "request_timeout", "The request took longer than this listener waits for one.", Closes: true),

        RejectReason.MissingBoundary => new(400, 140, "missing_boundary", "The multipart Content-Type names no boundary.", Closes: false),
        RejectReason.MalformedMultipart => new(400, 141, "malformed_multipart", "The multipart body is malformed.", Closes: true),
        RejectReason.TruncatedMultipart => new(400, 142, "truncated_multipart", "The multipart body ends before its closing boundary.", Closes: true),
        RejectReason.TooManyParts => new(413, 143, "too_many_parts", "The multipart body has more parts than this listener accepts.", Closes: true),
        RejectReason.PartHeadTooLarge => new(413, 144, "part_head_too_large", "The header of a part is larger than this listener accepts.", Closes: true),
        RejectReason.AttributeNameTooLong => new(413, 145, "attribute_name_too_long", "The name of an attribute is longer than this listener accepts.", Closes: true),
        RejectReason.TooManyAttributes => new(413, 146, "too_many_attributes", "The attributes of the submission are more or larger than this listener accepts.", Closes: true),
        RejectReason.TooManyAttachments => new(413, 147, "too_many_attachments", "The submission has more attachments than this listener accepts.", Closes: true),
        RejectReason.AttachmentTooLarge => new(413, 148, "attachment_too_large", "An attachment is larger than this listener accepts.", Closes: true),
        RejectReason.TooMuchMetadata => new(
            413, 149, "too_much_metadata", "The names, file names, content types and attributes of the submission are together more than 64 MiB.", Closes: true),

        RejectReason.MissingReport => new(400, 150, "missing_report", "The form holds no report: send it as a part named upload_file or upload_file_minidump.", Closes: false),
        RejectReason.NotAMinidump => new(400, 151, "not_a_minidump", "The report does not start as a minidump (MDMP).", Closes: false),
        RejectReason.NotJson => new(400, 152, "not_json", "The report does not start as a JSON object.", Closes: false),
        RejectReason.NotPlcrash => new(400, 153, "not_plcrash", "The report does not start as a PLCrashReporter report.", Closes: false),

        RejectReason.Overloaded => new(503, 170, "overloaded", "The listener has more to do than it can; it made the upload wait as long as it honestly could.", Closes: true, RetryAfter: 30),
        RejectReason.TokenOverRate => new(429, 171, "token_over_rate", "More is sent with this token than it may send in a second.", Closes: true, RetryAfter: 30),
        RejectReason.TooManyUploads => new(503, 172, "too_many_uploads", "As many uploads as this listener takes at once are under way.", Closes: true, RetryAfter: 30),
        RejectReason.TooManyUploadsOfToken => new(429, 173, "too_many_uploads_of_token", "As many uploads as this token may make at once are under way.", Closes: true, RetryAfter: 30),
        RejectReason.TooManyWithoutToken => new(503, 176, "too_many_without_token", "As many forms as this listener stages without a token are under way; send the token in the URL or as the first field.", Closes: true, RetryAfter: 30),
        RejectReason.TooManyConnections => new(503, 174, "too_many_connections", "As many connections as this listener takes at once are open.", Closes: true, RetryAfter: 30),
        RejectReason.TooManyConnectionsOfAddress => new(429, 175, "too_many_connections_of_address", "As many connections as one address may have are open.", Closes: true, RetryAfter: 30),

        RejectReason.StorageFull => new(503, 160, "storage_full", "The listener's disk is full; nothing of this submission was kept.", Closes: false, RetryAfter: 5),
        RejectReason.StorageReadOnly => new(503, 161, "storage_read_only", "The listener's disk is read-only; nothing of this submission was kept.", Closes: false, RetryAfter: 5),
        RejectReason.StorageFault => new(503, 162, "storage_fault", "The listener could not store the submission; nothing of it was kept.", Closes: false, RetryAfter: 5),
        RejectReason.Stopping => new(503, 163, "stopping", "The listener is shutting down; nothing of this submission was kept.", Closes: true, RetryAfter: 5),
        RejectReason.InternalFault => new(500, 164, "internal_fault", "The listener failed to handle the request; nothing of it was kept.", Closes: true),

        _ => throw new UnreachableException($"No refusal for {reason}."),
    };
}
