namespace FastListener.Storage.Commit;

/// <summary>What the committer has done. Written by its thread, read by any.</summary>
internal struct CommitCounters
{
    private long _objects;
    private long _lateAttachments;
    private long _payloadBytes;
    private long _largePayloads;
    private long _batches;
    private long _failedBatches;
    private long _failedSubmissions;
    private int _fault; // kind + 1

    public readonly long Objects => Volatile.Read(in _objects);

    public readonly long LateAttachments => Volatile.Read(in _lateAttachments);

    public readonly long PayloadBytes => Volatile.Read(in _payloadBytes);

    public readonly long LargePayloads => Volatile.Read(in _largePayloads);

    public readonly long Batches => Volatile.Read(in _batches);

    public readonly long FailedBatches => Volatile.Read(in _failedBatches);

    public readonly long FailedSubmissions => Volatile.Read(in _failedSubmissions);

    public readonly StorageFaultKind? Fault => Volatile.Read(in _fault) is > 0 and var fault ? (StorageFaultKind)(fault - 1) : null;

    public void Succeeded(int objects, int lateAttachments, long payloadBytes, int largePayloads)
    {
        Volatile.Write(ref _objects, _objects + objects);
        Volatile.Write(ref _lateAttachments, _lateAttachments + lateAttachments);
        Volatile.Write(ref _payloadBytes, _payloadBytes + payloadBytes);
        Volatile.Write(ref _largePayloads, _largePayloads + largePayloads);
        Volatile.Write(ref _batches, _batches + 1);
        Volatile.Write(ref _fault, 0);
    }

    public void Failed(int submissions, StorageFaultKind kind)
    {
        Volatile.Write(ref _failedBatches, _failedBatches + 1);
        Volatile.Write(ref _failedSubmissions, _failedSubmissions + submissions);
        Volatile.Write(ref _fault, (int)kind + 1);
    }
}
