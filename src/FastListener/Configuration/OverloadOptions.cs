namespace FastListener.Configuration;

/// <summary>
/// What is done when more comes than can be kept up with: reading is slowed first, in fair turns; then, where the operator has named
/// rungs, bytes are given up; only then is anybody refused. See <c>OPERATING.md</c>.
/// </summary>
internal sealed record OverloadOptions
{
    /// <summary>
    /// Uploads whose bytes are taken in at the same time; the others' wait in their sockets. 64: enough to keep a disk busy on which each
    /// write waits, few enough that a small upload waits for one slice of one of them only.
    /// </summary>
    public int ReadingTurns { get; init; } = 64;

    /// <summary>The same while something runs short. 16: four writes for each thread that writes files.</summary>
    public int PressedTurns { get; init; } = 16;

    /// <summary>
    /// The longest that an upload is made to wait before it is refused: until its bytes may come at all, and then for each next turn. One that gets its
    /// turns goes on, however long that takes. Half of the 60 s that Crashpad gives an upload, so that the answer to one that gets none still arrives.
    /// </summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long an upload waits, or something is short, before the next rung is taken. Must be shorter than <see cref="MaxWait"/>. 5 s, our choice, no precedent
    /// found: both rungs are taken after 10 s, a sixth of what Crashpad gives an upload.
    /// </summary>
    public TimeSpan DegradeAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What may be given up when a token does not say: <c>without_attachments</c>, <c>metadata_only</c>. None: nothing is.</summary>
    public Rungs Degrade { get; init; }

    /// <summary>
    /// Percent of <c>Storage:PayloadMemoryBytes</c> in use from which on memory counts as short; it does until a quarter of that is free again. 90, our choice, no
    /// precedent found.
    /// </summary>
    public int MemoryPercent { get; init; } = 90;

    /// <summary>
    /// Percent of the committer's queue (1,024 submissions) from which on it counts as behind. 50, our choice, no precedent found: one full batch of 512.
    /// </summary>
    public int QueuePercent { get; init; } = 50;

    /// <summary>Without a commit while submissions wait for one, before the committer counts as behind. A sync of a busy disk takes a second at worst.</summary>
    public TimeSpan CommitSlow { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The same, before nothing more is read: the disk hangs. 10 s, our choice, no precedent found: ten times a sync of a busy disk.</summary>
    public TimeSpan CommitHold { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Percent of the file system free below which the disk counts as short; 8 GiB free are enough in any case. Below the one of
    /// <c>Storage:WarnFreePercent</c>, so that there is time to act. 0: never. 2 % and 8 GiB, our choice, no precedent found: 8 GiB is what
    /// one body may have (<c>Limits:MaxBodyBytes</c>).
    /// </summary>
    public int DiskFreePercent { get; init; } = 2;
}
