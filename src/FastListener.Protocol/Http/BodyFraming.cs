namespace FastListener.Protocol.Http;

/// <summary>How the end of a request body is found (RFC 9112 6.3).</summary>
public enum FramingKind : byte
{
    /// <summary>Neither Content-Length nor Transfer-Encoding: there is no body.</summary>
    None,

    /// <summary>Exactly <see cref="BodyFraming.Length"/> bytes follow (0 possible).</summary>
    Length,

    /// <summary>Chunks follow; decode with <see cref="ChunkedDecoder"/>.</summary>
    Chunked,
}

/// <summary>The framing of one request body, decided once from the head.</summary>
/// <param name="Kind">Which rule applies.</param>
/// <param name="Length">Body bytes when <paramref name="Kind"/> is <see cref="FramingKind.Length"/>, else 0.</param>
public readonly record struct BodyFraming(FramingKind Kind, long Length);
