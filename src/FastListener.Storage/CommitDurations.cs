namespace FastListener.Storage;

/// <summary>How long the successful group commits since the store was opened took, from the first byte written to the last sync.</summary>
/// <param name="Counts">Commits by <see cref="Bounds"/>: each took as long as its bound at most and longer than the one before. The last is beyond all bounds.</param>
/// <param name="Sum">All of them together.</param>
public sealed record CommitDurations(IReadOnlyList<long> Counts, TimeSpan Sum)
{
    /// <summary>The upper bounds, ascending.</summary>
    public static IReadOnlyList<TimeSpan> Bounds { get; } =
        [.. new[] { 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000 }.Select(TimeSpan.FromMilliseconds)];

    /// <summary>All commits.</summary>
    public long Count => Counts.Sum();
}
