namespace FastListener.Storage;

/// <summary>A snapshot of what a store has done since it was opened. Sizes are in bytes.</summary>
public readonly record struct StoreStatistics
{
    /// <summary>Objects committed.</summary>
    public long Objects { get; init; }

    /// <summary>Late attachments committed.</summary>
    public long LateAttachments { get; init; }

    /// <summary>Payload bytes committed, in packs and files.</summary>
    public long PayloadBytes { get; init; }

    /// <summary>Payloads that went to files of their own.</summary>
    public long LargePayloads { get; init; }

    /// <summary>Group commits that succeeded.</summary>
    public long Batches { get; init; }

    /// <summary>Group commits that failed.</summary>
    public long FailedBatches { get; init; }

    /// <summary>Submissions that failed with them.</summary>
    public long FailedSubmissions { get; init; }

    /// <summary>Submissions waiting for the committer now.</summary>
    public int Queued { get; init; }

    /// <summary>Submissions in the batch that is being committed now.</summary>
    public int Committing { get; init; }

    /// <summary>Payload memory in use now.</summary>
    public long PayloadMemory { get; init; }

    /// <summary>Times a writer found payload memory spent and had to spill.</summary>
    public long MemorySpills { get; init; }

    /// <summary>The file system, as looked at within the last second.</summary>
    public DiskSpace Disk { get; init; }

    /// <summary>The fault of the most recent commit; null when it succeeded.</summary>
    public StorageFaultKind? CurrentFault { get; init; }

    /// <summary>A defect has ended the store: <see cref="ObjectStore.Failed"/>.</summary>
    public bool HasFailed { get; init; }
}
