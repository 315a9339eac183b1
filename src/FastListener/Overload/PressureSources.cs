using FastListener.Configuration;
using FastListener.Storage;

namespace FastListener.Overload;

/// <summary>The sources of pressure that the store's own figures tell of.</summary>
internal static class PressureSources
{
    /// <summary>The word of <see cref="Disk"/>.</summary>
    public const string DiskWord = "disk";

    /// <summary>Memory for payloads is nearly spent: what comes now goes to files of its own, which costs more for each.</summary>
    public static PressureSource Memory(Func<StoreStatistics> statistics, long budget, OverloadOptions options)
    {
        var on = false;
        return new("memory", () =>
        {
            var used = statistics().PayloadMemory * 100.0 / budget;
            on = used >= options.MemoryPercent || (on && used > options.MemoryPercent * 0.75); // not on and off at every slice
            return on ? PressureLevel.Slow : PressureLevel.None;
        });
    }

    /// <summary>The committer does not keep up: submissions wait or are in a commit that hangs, and none has been committed for a while.</summary>
    public static PressureSource Committer(Func<StoreStatistics> statistics, int queueLength, OverloadOptions options, TimeProvider time)
    {
        var batches = -1L;
        var stuckSince = 0L;
        return new("committer", () =>
        {
            var now = statistics();
            var done = now.Batches + now.FailedBatches;
            if (done != batches || now.Queued + now.Committing == 0)
            {
                batches = done;
                stuckSince = time.GetTimestamp();
            }

            var stuck = time.GetElapsedTime(stuckSince);
            return stuck >= options.CommitHold ? PressureLevel.Hold
                : stuck >= options.CommitSlow || now.Queued * 100L >= (long)queueLength * options.QueuePercent ? PressureLevel.Slow
                : PressureLevel.None;
        });
    }

    /// <summary>The disk is nearly full, of bytes or of files. Never a reason not to read at all: what does not fit any more is refused at once, and says so.</summary>
    public static PressureSource Disk(Func<DiskSpace> space, OverloadOptions options)
    {
        const long EnoughFree = 8L * 1024 * 1024 * 1024;
        const double EnoughFreeFiles = 20_000;
        var on = false;
        return new(DiskWord, () =>
        {
            var now = space();
            var least = Math.Min(now.Total / 100.0 * options.DiskFreePercent, EnoughFree);
            var leastFiles = Math.Min(now.Files / 100.0 * options.DiskFreePercent, EnoughFreeFiles);
            var slack = on ? 1.25 : 1;
            on = now.IsFull || now.IsOutOfFiles || now.Free < least * slack || now.FreeFiles < leastFiles * slack;
            return on ? PressureLevel.Slow : PressureLevel.None;
        });
    }
}
