namespace FastListener.Protocol.Http;

/// <summary>What a push parser says after it has been given bytes.</summary>
public enum ParseStatus : byte
{
    /// <summary>The unit is not complete; give more bytes (or the rest of these).</summary>
    NeedMore,

    /// <summary>The unit is complete. Bytes after the consumed ones belong to what follows.</summary>
    Done,

    /// <summary>The bytes can never become a valid unit. The parser's fault says why; nothing after this can be trusted.</summary>
    Rejected,
}
