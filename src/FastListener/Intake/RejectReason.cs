namespace FastListener.Intake;

/// <summary>
/// Every reason for which a request is answered with something other than success.
/// Each has exactly one row in <see cref="Refusal"/>; a test walks this enum so that none lacks one.
/// </summary>
internal enum RejectReason : byte
{
    None = 0,

    // The request head (RFC 9112 sections 2 to 6).
    MalformedHead,
    HeadTooLarge,
    TooManyFields,
    TargetTooLong,
    UnsupportedVersion,
    AmbiguousFraming,
    HeadTimeout,

    // Where it wants to go.
    UnknownPath,
    MethodNotAllowed,
    ConsoleRequest,
    UnknownFormat,

    // Who asks.
    InvalidToken,
    ConflictingTokens,
    TokenTooLate,
    TokenTimeout,
    UnknownObject,

    // The body.
    MalformedChunk,
    UnsupportedContentCoding,
    MalformedCompression,
    TruncatedCompression,
    InflationLimit,
    BodyTooLarge,
    WireTooLarge,
    EmptyBody,
    TruncatedBody,
    BodyTimeout,
    RequestTimeout,

    // Multipart (RFC 7578, RFC 2046 section 5.1).
    MissingBoundary,
    MalformedMultipart,
    TruncatedMultipart,
    TooManyParts,
    PartHeadTooLarge,
    AttributeNameTooLong,
    TooManyAttributes,
    TooManyAttachments,
    AttachmentTooLarge,
    TooMuchMetadata,

    // The report itself.
    MissingReport,
    NotAMinidump,
    NotJson,
    NotPlcrash,

    // Too much at once; before each of these the client has been slowed, but for the last.
    Overloaded,
    TokenOverRate,
    TooManyUploads,
    TooManyUploadsOfToken,
    TooManyWithoutToken,
    TooManyConnections,
    TooManyConnectionsOfAddress,

    // Our own trouble.
    StorageFull,
    StorageReadOnly,
    StorageFault,
    Stopping,
    InternalFault,
}
