namespace FastListener.Storage;

/// <summary>How the bytes of a payload too large for a pack reach its file.</summary>
public enum LargeFileMode
{
    /// <summary>Through the page cache in full buffers; write-back starts, and pages are dropped, every 8 MiB, so that the final sync has little left to do.</summary>
    EarlyWriteBack,

    /// <summary>Past the page cache (<c>O_DIRECT</c>) where the file system allows it, else as <see cref="EarlyWriteBack"/>.</summary>
    Direct,
}

/// <summary>Where a store lives and what it may use. Immutable; every size is in bytes.</summary>
public sealed record StoreOptions
{
    /// <summary>The data directory. Created when missing.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Payloads of a submission that together stay within this go into the pack record; what passes it goes to a file of its own.</summary>
    public int InlineLimitBytes { get; init; } = 1024 * 1024;

    /// <summary>Memory for payloads on their way into packs, over all submissions. When it is spent, writers wait <see cref="PayloadMemoryWait"/>, then spill to files.</summary>
    public long PayloadMemoryBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>How long a writer waits for payload memory before it spills.</summary>
    public TimeSpan PayloadMemoryWait { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Size of one write to a large payload's file; two of them per upload in progress, while <see cref="LargeBufferMemoryBytes"/> lasts. A multiple of 4,096.</summary>
    public int LargeBufferBytes { get; init; } = 512 * 1024;

    /// <summary>Memory for large payloads' write buffers, over all uploads. When it is spent, uploads write straight from the caller's memory.</summary>
    public long LargeBufferMemoryBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>How large payloads are written.</summary>
    public LargeFileMode LargeFiles { get; init; } = LargeFileMode.EarlyWriteBack;

    /// <summary>Write packs past the page cache (<c>O_DIRECT</c>) where the file system allows it.</summary>
    public bool DirectPacks { get; init; } = true;

    /// <summary>A pack that has grown past this is closed and another one begun.</summary>
    public long PackBytes { get; init; } = 1024L * 1024 * 1024;

    /// <summary>Most bytes in one group commit; a larger single submission is a batch of its own.</summary>
    public int MaxBatchBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Most submissions in one group commit.</summary>
    public int MaxBatchObjects { get; init; } = 512;

    /// <summary>Submissions that may wait to be sorted by account, and again four times as many that may wait in their lanes; a full queue is the back-pressure.</summary>
    public int QueueLength { get; init; } = 1024;

    /// <summary>Record bytes of one account that go into a batch before the next account that has something waiting gets its turn.</summary>
    public int FairQuantumBytes { get; init; } = 64 * 1024;

    /// <summary>Threads that write, sync and rename large payloads' files.</summary>
    public int FileThreads { get; init; } = 4;

    /// <summary>
    /// Most bytes of the file system that are held back so that the catalog can be written when it is full; never more than a hundredth of it, but
    /// 4 MiB in any case. 0: nothing is held back.
    /// </summary>
    public long ReserveBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>Percent of the file system free below which the log warns; 20 GiB free are enough in any case. 0: never.</summary>
    public int WarnFreePercent { get; init; } = 5;

    /// <summary>The attribute bytes a submission may carry, names and values together. The caller enforces it (see <see cref="Submission.AttributeBytes"/>).</summary>
    public const int MaxAttributeBytes = 4 * 1024 * 1024;

    /// <summary>Most that may be said about a submission beside its payloads' bytes (see <see cref="Submission.MetadataBytes"/>). More is refused at the commit.</summary>
    public const int MaxMetadataBytes = Packs.PackLayout.MaxMetadata;
}
