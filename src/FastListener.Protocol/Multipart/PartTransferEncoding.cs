namespace FastListener.Protocol.Multipart;

/// <summary>A part's Content-Transfer-Encoding. RFC 7578 4.7 deprecates it; only the first needs no decoding.</summary>
public enum PartTransferEncoding : byte
{
    /// <summary>None, <c>7bit</c>, <c>8bit</c> or <c>binary</c>: the bytes are the content.</summary>
    Identity,

    /// <summary><c>base64</c>. The parser does not decode it.</summary>
    Base64,

    /// <summary><c>quoted-printable</c>. The parser does not decode it.</summary>
    QuotedPrintable,

    /// <summary>Anything else.</summary>
    Other,
}
