namespace FastListener.Load.Inputs;

/// <summary>One kind of body that clients send, and what a faithful receiver has in hand afterwards.</summary>
internal sealed record SubmissionBody
{
    public required string Name { get; init; }

    /// <summary>What the input is, in a sentence for reports.</summary>
    public required string Description { get; init; }

    public string? ContentType { get; init; }

    public string? ContentEncoding { get; init; }

    /// <summary>Sent as chunks: <see cref="Wire"/> then holds the chunk framing, too.</summary>
    public bool Chunked { get; init; }

    /// <summary>The body as it crosses the wire.</summary>
    public required ByteImage Wire { get; init; }

    /// <summary>The report within (the dump or the JSON), decoded.</summary>
    public required ByteImage Report { get; init; }

    /// <summary>Where the report begins in <see cref="Report"/>.</summary>
    public long ReportOffset { get; init; }

    public required long ReportLength { get; init; }

    /// <summary>How many payloads a submission of this body carries, the report included.</summary>
    public int Payloads { get; init; } = 1;

    /// <summary>minidump or json, as the query names it.</summary>
    public string Format { get; init; } = "minidump";
}
