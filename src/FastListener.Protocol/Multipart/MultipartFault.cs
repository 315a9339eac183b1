namespace FastListener.Protocol.Multipart;

/// <summary>Why a multipart body was refused.</summary>
public enum MultipartFault : byte
{
    /// <summary>Nothing is wrong.</summary>
    None,

    /// <summary>The body ended without a first delimiter: it is not multipart, or the boundary is another one.</summary>
    MissingFirstDelimiter,

    /// <summary>More than <see cref="MultipartLimits.MaxPreambleBytes"/> before the first delimiter.</summary>
    PreambleTooLarge,

    /// <summary>The header lines of a part exceed <see cref="MultipartLimits.MaxPartHeadBytes"/>.</summary>
    PartHeadTooLarge,

    /// <summary>
    /// The header lines of a part are malformed (no colon, bare CR or LF, NUL) or ambiguous (Content-Disposition or one of its parameters
    /// twice, an unterminated quoted string): which part is the dump must not be a guess.
    /// </summary>
    BadPartHead,

    /// <summary>More than <see cref="MultipartLimits.MaxParts"/> parts.</summary>
    TooManyParts,

    /// <summary>The body ended before its closing delimiter.</summary>
    Truncated,
}
