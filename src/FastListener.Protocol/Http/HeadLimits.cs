namespace FastListener.Protocol.Http;

/// <summary>How large a request head may be. All sizes in bytes.</summary>
public sealed record HeadLimits
{
    /// <summary>Request line and fields together, line ends and the empty line included.</summary>
    public int MaxHeadBytes { get; init; } = 32 * 1024; // the total Kestrel allows for its fields alone

    /// <summary>Field lines.</summary>
    public int MaxFields { get; init; } = 100; // as Kestrel

    /// <summary>The request target as sent.</summary>
    public int MaxTargetBytes { get; init; } = 8 * 1024; // RFC 9112 3 asks for at least 8,000 for the whole line
}
