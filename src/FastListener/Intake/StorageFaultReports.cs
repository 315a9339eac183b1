using FastListener.Storage;

namespace FastListener.Intake;

/// <summary>
/// Tells the log of faults of the disk that a request has met before its commit: in a look-up, or in a large payload's file. One in a minute, the others
/// at debug level: a disk that fails fails everybody, and is not to be filled with what is said about it.
/// </summary>
internal sealed class StorageFaultReports(TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);
    private readonly Lock _lock = new();
    private long? _last;

    /// <summary>A fault that was answered. What the refusal's word tells whole (a full disk, an object that is gone) is not told here.</summary>
    public void Report(StorageFaultException fault)
    {
        if (fault.Kind is not StorageFaultKind.InputOutput)
        {
            return;
        }

        bool told;
        lock (_lock)
        {
            told = _last is { } last && time.GetElapsedTime(last) < Pause;
            _last = told ? _last : time.GetTimestamp();
        }

        if (told)
        {
            IntakeLog.StorageFaultAgain(log, fault.Message);
        }
        else
        {
            IntakeLog.StorageFault(log, fault);
        }
    }
}
