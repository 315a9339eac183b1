namespace FastListener.Storage;

/// <summary>What of a submission was given up on purpose, so that the rest could be kept. The values are stored: never renumber.</summary>
public enum Degradation : byte
{
    /// <summary>Nothing: all that was sent is kept.</summary>
    None = 0,

    /// <summary>The bytes of attachments; the report is kept whole.</summary>
    WithoutAttachments = 1,

    /// <summary>All bytes: attributes, names, sizes and checksums are kept.</summary>
    MetadataOnly = 2,
}

/// <summary>The words of <see cref="Degradation"/>.</summary>
public static class Degradations
{
    private static readonly string[] Words = ["none", "without_attachments", "metadata_only"];

    /// <summary>The lower-case word, for listings and JSON.</summary>
    public static string Word(this Degradation level) => (int)level < Words.Length ? Words[(int)level] : "unknown";
}
