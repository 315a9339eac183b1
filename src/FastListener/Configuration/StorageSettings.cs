using FastListener.Storage;

namespace FastListener.Configuration;

/// <summary>How the store uses disk and memory.</summary>
internal sealed record StorageSettings
{
    /// <summary>
    /// Payloads of a submission up to this size together go into a pack, bytes; larger ones get files of their own. 1 MiB: measured with prototypes, 16 clients
    /// with payloads of that size had 617 MiB/s in a log and 429 in a file each.
    /// </summary>
    public int InlineLimitBytes { get; init; } = 1024 * 1024;

    /// <summary>
    /// Memory for payloads on their way, bytes, for all uploads together. When it is spent they go to files early. 64 MiB, our choice, no precedent found:
    /// sixty-four submissions at the inline limit.
    /// </summary>
    public long PayloadMemoryBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>Size at which a new pack file is begun, bytes. 1 GiB, our choice: what Kafka's log has for its segments (log.segment.bytes).</summary>
    public long PackBytes { get; init; } = 1024L * 1024 * 1024;

    /// <summary>Whether packs are written past the page cache (O_DIRECT) where the file system allows it.</summary>
    public bool DirectPacks { get; init; } = true;

    /// <summary>
    /// Whether large payloads are written past the page cache where the file system allows it. Otherwise they are written back early, and leave the
    /// cache behind themselves: measured side by side 1.6 times the rate at 0.7 of the CPU.
    /// </summary>
    public bool DirectFiles { get; init; }

    /// <summary>
    /// Most bytes held back, allocated, so that the catalog can be written when the file system is full: a hundredth of it, at least 4 MiB, at most
    /// this. 0: none; a full disk may then keep the listener from starting. 256 MiB: four times the longest log that the catalog grows under load.
    /// </summary>
    public long ReserveBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>
    /// Percent of the file system free below which the log warns; 20 GiB free are enough in any case. 0: never. 5 % and 20 GiB, our choice, no precedent found: two
    /// and a half times what <c>Overload:DiskFreePercent</c> slows uploads at.
    /// </summary>
    public int WarnFreePercent { get; init; } = 5;

    /// <summary>The same for the store.</summary>
    public StoreOptions ToOptions(string dataDirectory) => new()
    {
        DataDirectory = dataDirectory,
        InlineLimitBytes = InlineLimitBytes,
        PayloadMemoryBytes = PayloadMemoryBytes,
        PackBytes = PackBytes,
        DirectPacks = DirectPacks,
        ReserveBytes = ReserveBytes,
        WarnFreePercent = WarnFreePercent,
        LargeFiles = DirectFiles ? LargeFileMode.Direct : LargeFileMode.EarlyWriteBack,
    };
}
