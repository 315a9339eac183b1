namespace FastListener.Storage.Commit;

/// <summary>Sorts the durations of commits into classes. Written by the committer's thread, read by any.</summary>
internal sealed class CommitTimes
{
    private readonly TimeSpan[] _bounds = [.. CommitDurations.Bounds];
    private readonly long[] _counts = new long[CommitDurations.Bounds.Count + 1];
    private long _sum;

    public void Add(TimeSpan duration)
    {
        var at = Array.BinarySearch(_bounds, duration);
        at = at < 0 ? ~at : at;
        Volatile.Write(ref _sum, _sum + duration.Ticks);
        Volatile.Write(ref _counts[at], _counts[at] + 1);
    }

    public CommitDurations Snapshot()
    {
        var counts = new long[_counts.Length];
        for (var i = 0; i < counts.Length; i++)
        {
            counts[i] = Volatile.Read(ref _counts[i]);
        }

        return new(counts, TimeSpan.FromTicks(Volatile.Read(ref _sum)));
    }
}
