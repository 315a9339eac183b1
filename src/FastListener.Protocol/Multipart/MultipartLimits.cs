namespace FastListener.Protocol.Multipart;

/// <summary>How large the envelope of a multipart body may be; the parts' contents are not limited here.</summary>
public sealed record MultipartLimits
{
    /// <summary>Parts in one body.</summary>
    public int MaxParts { get; init; } = 1024; // Go 1,000; ASP.NET 1,024 values

    /// <summary>Bytes of one part's header lines, the empty line included.</summary>
    public int MaxPartHeadBytes { get; init; } = 16 * 1024; // as ASP.NET

    /// <summary>Bytes before the first delimiter. No known client sends more than two; mail gateways may add a sentence.</summary>
    public int MaxPreambleBytes { get; init; } = 64 * 1024;
}
