namespace FastListener.Storage.Commit;

/// <summary>Whoever sends under one key: what the committer keeps for it. One instance per key and store.</summary>
internal sealed class Account(string key)
{
    private int _id;
    private Tally _accepted;
    private Tally _degraded;

    public string Key { get; } = key;

    public byte[] KeyUtf8 { get; } = System.Text.Encoding.UTF8.GetBytes(key);

    /// <summary>The catalog's id; 0 until a transaction that gave it one was committed.</summary>
    public int Id
    {
        get => Volatile.Read(ref _id);
        set => Volatile.Write(ref _id, value);
    }

    /// <summary>Its submissions that wait for a batch. The committer's alone.</summary>
    public Lane Lane { get; } = new();

    /// <summary>Sums of its requests that were not stored and are not in the ledger yet. Any thread's.</summary>
    public Tallies Unbooked { get; } = new();

    /// <summary>Whether the batch at hand has sums of it. The committer's alone.</summary>
    public bool IsInBatch { get; set; }

    /// <summary>What the batch at hand stores whole of it. The committer's alone.</summary>
    public ref Tally Accepted => ref _accepted;

    /// <summary>What the batch at hand stores degraded of it. The committer's alone.</summary>
    public ref Tally Degraded => ref _degraded;

    public override string ToString() => Key;
}
