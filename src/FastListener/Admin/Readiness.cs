using FastListener.Overload;
using FastListener.Storage;

namespace FastListener.Admin;

/// <summary>Whether the listener should be sent uploads.</summary>
/// <param name="Ready">False: uploads are, or soon will be, refused or degraded.</param>
/// <param name="Short">What is not as it should be, and how: also what does not yet keep the listener from being ready.</param>
internal sealed record ReadyState(bool Ready, IReadOnlyList<(string Word, string How)> Short);

/// <summary>
/// Judges whether uploads are taken. Pressure that does not last is borne by waiting and does not count, and a disk that is nearly full, perhaps for
/// days, takes them still. Neither does a failed commit count once the disk takes bytes again, whether or not an upload has come since: a listener that
/// is left alone must be able to become ready. After a defect of ours nobody waits for that: the process ends.
/// </summary>
/// <param name="overload">What runs short.</param>
/// <param name="statistics">The disk's room, and what became of the last commit.</param>
/// <param name="testWrite">Whether the disk takes bytes now. May block.</param>
internal sealed class Readiness(Pressure overload, Func<StoreStatistics> statistics, Func<bool> testWrite)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private readonly Lock _lock = new();
    private Task<bool> _testing = Task.FromResult(true);
    private volatile string? _phase = "starting";

    /// <summary>Uploads are taken from here on.</summary>
    public void Started() => _phase = null;

    /// <summary>No further upload is taken.</summary>
    public void Draining() => _phase = "draining";

    /// <summary>Looks now.</summary>
    public ReadyState Look()
    {
        var found = new List<(string Word, string How)>();
        var now = statistics();
        var ready = overload.Current.Level is not PressureLevel.Hold;
        if (_phase is { } phase)
        {
            ready = false;
            found.Add(("listener", phase));
        }

        foreach (var (word, level, lasts) in overload.Levels)
        {
            if (level is not PressureLevel.None)
            {
                ready &= word == PressureSources.DiskWord ? !(now.Disk.IsFull || now.Disk.IsOutOfFiles) : !lasts;
                found.Add((word, level is PressureLevel.Hold ? "nothing is read"
                    : word != PressureSources.DiskWord ? "reading is slowed"
                    : now.Disk.IsFull ? "full"
                    : now.Disk.IsOutOfFiles ? "no file can be made"
                    : "reading is slowed"));
            }
        }

        if (now.HasFailed)
        {
            ready = false;
            found.Add(("commit", "ended by a defect"));
        }
        else if (now.CurrentFault is { } fault && !now.Disk.IsFull && !now.Disk.IsOutOfFiles && !DiskTakesBytes())
        {
            ready = false;
            found.Add(("commit", fault.ToString()));
        }

        return new(ready, found);
    }

    /// <summary>One test at a time: a disk that hangs holds one thread, however often somebody asks.</summary>
    private bool DiskTakesBytes()
    {
        Task<bool> testing;
        lock (_lock)
        {
            if (_testing.IsCompleted)
            {
                _testing = Task.Factory.StartNew(testWrite, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }

            testing = _testing;
        }

        return testing.Wait(Patience) && testing.Result;
    }
}
