namespace FastListener.Protocol.Http;

/// <summary>Why HTTP/1.1 framing was refused: one member per cause, so that reply, log and metric can name it.</summary>
public enum HttpFault : byte
{
    /// <summary>Nothing is wrong.</summary>
    None,

    /// <summary>A line feed that does not follow a carriage return (RFC 9112 2.2; threat: parsers that disagree on line ends).</summary>
    BareLf,

    /// <summary>A carriage return that is not followed by a line feed (RFC 9112 2.2).</summary>
    BareCr,

    /// <summary>A line that begins with a space or a tab: a folded field, or white space before the first field (RFC 9112 5.2, 2.2).</summary>
    ObsoleteFold,

    /// <summary>White space between a field's name and its colon (RFC 9112 5.1).</summary>
    SpaceBeforeColon,

    /// <summary>A NUL byte in the head or in a trailer.</summary>
    Nul,

    /// <summary>A field name that is empty or not a token, or a field line without a colon (RFC 9110 5.1).</summary>
    BadFieldName,

    /// <summary>A control character in a field value (RFC 9110 5.5).</summary>
    BadFieldValue,

    /// <summary>The request line does not begin with a method token of at most 32 bytes: not HTTP at all (TLS, for example), or too many empty lines before it.</summary>
    BadMethod,

    /// <summary>The target is empty, holds a control character, or is none of the forms of RFC 9112 3.2 that a listener can serve.</summary>
    BadTarget,

    /// <summary>The target holds a raw space, so that the request line falls apart (RFC 9112 3.2 forbids guessing).</summary>
    SpaceInTarget,

    /// <summary>The target is longer than <see cref="HeadLimits.MaxTargetBytes"/>.</summary>
    TargetTooLong,

    /// <summary>The protocol version is missing or malformed; <c>http/1.1</c> is malformed too, since the name is case-sensitive (RFC 9112 2.3).</summary>
    BadVersion,

    /// <summary>A well-formed version whose major number is not 1, the HTTP/2 preface included (RFC 9110 15.6.6: 505).</summary>
    UnsupportedVersion,

    /// <summary>The head is longer than <see cref="HeadLimits.MaxHeadBytes"/>.</summary>
    HeadTooLarge,

    /// <summary>More field lines than <see cref="HeadLimits.MaxFields"/>.</summary>
    TooManyFields,

    /// <summary>An HTTP/1.1 request without Host (RFC 9112 3.2).</summary>
    MissingHost,

    /// <summary>More than one Host (RFC 9112 3.2).</summary>
    SeveralHosts,

    /// <summary>A Host that is not <c>uri-host [":" port]</c> (RFC 9110 7.2).</summary>
    BadHost,

    /// <summary>Content-Length together with Transfer-Encoding: two answers are no answer (RFC 9112 6.3).</summary>
    LengthWithTransferEncoding,

    /// <summary>More than one Content-Length, equal or not (RFC 9112 6.3 allows the refusal).</summary>
    SeveralContentLengths,

    /// <summary>A Content-Length that is not 1 to 18 digits' worth of number: sign, list, blank, hexadecimal, empty or too large (RFC 9110 8.6).</summary>
    BadContentLength,

    /// <summary>A Transfer-Encoding other than exactly <c>chunked</c>, once, without parameters (RFC 9112 6.1).</summary>
    BadTransferEncoding,

    /// <summary>Two different Content-Type fields: what the body is must not depend on who reads it (RFC 9110 8.3 has one).</summary>
    SeveralContentTypes,

    /// <summary>A chunk line that does not begin with a hexadecimal digit, or goes on with something that is neither extension nor line end (RFC 9112 7.1).</summary>
    BadChunkSize,

    /// <summary>A chunk size of more than 15 hexadecimal digits.</summary>
    ChunkSizeOverflow,

    /// <summary>A chunk extension that does not follow the grammar of RFC 9112 7.1.1.</summary>
    BadChunkExtension,

    /// <summary>A chunk line longer than <see cref="ChunkedDecoder.MaxLineBytes"/>.</summary>
    ChunkLineTooLong,

    /// <summary>More extension bytes than the data can justify: a flood.</summary>
    ChunkExtensionsTooLarge,

    /// <summary>Chunk data not followed by CR LF (RFC 9112 7.1).</summary>
    BadChunkEnd,

    /// <summary>Trailers longer than <see cref="ChunkedDecoder.MaxTrailerBytes"/>.</summary>
    TrailersTooLarge,
}
