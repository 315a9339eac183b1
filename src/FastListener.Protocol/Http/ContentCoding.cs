namespace FastListener.Protocol.Http;

/// <summary>The content coding of a request body (RFC 9110 8.4.1).</summary>
public enum ContentCoding : byte
{
    /// <summary>Sent as it is.</summary>
    Identity,

    /// <summary><c>gzip</c> or <c>x-gzip</c> (RFC 1952).</summary>
    Gzip,

    /// <summary><c>deflate</c>: zlib (RFC 1950) by the book, raw deflate (RFC 1951) in the field.</summary>
    Deflate,

    /// <summary>Any other coding, or more than one.</summary>
    Unsupported,
}
