namespace FastListener.Hosting.Transport;

/// <summary>
/// How many connections the listeners of one server may have accepted together. Whoever is about to accept waits here while all places are taken, and the
/// kernel's queue holds the newcomers meanwhile. Nothing is reserved while an accept waits, so an endpoint where nobody connects keeps no place from
/// another; a listener that was waiting for its next client already may go one beyond the limit.
/// </summary>
/// <param name="limit">The places; 0 is unlimited.</param>
internal sealed class ConnectionPlaces(int limit)
{
    private readonly int _limit = limit == 0 ? int.MaxValue : limit;
    private readonly Lock _lock = new();
    private TaskCompletionSource? _freed; // somebody waits; under the lock
    private int _taken;

    /// <summary>Connections that have not ended.</summary>
    public int Taken => Volatile.Read(ref _taken);

    /// <summary>Whether accepting pauses: newcomers wait in the kernel's queue.</summary>
    public bool AreFull => Taken >= _limit;

    /// <summary>A connection begins.</summary>
    public void Take() => Interlocked.Increment(ref _taken);

    /// <summary>A connection has ended; once for each that began.</summary>
    public void GiveBack()
    {
        if (Interlocked.Decrement(ref _taken) != _limit - 1)
        {
            return; // there were free ones before, or there are none yet: every way from full to free leads through this number
        }

        lock (_lock)
        {
            _freed?.TrySetResult();
            _freed = null;
        }
    }

    /// <summary>Ends when a place is free: at once, without an allocation, when there is one.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        if (!AreFull)
        {
            return Task.CompletedTask;
        }

        lock (_lock)
        {
            var freed = _freed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return AreFull ? freed.Task.WaitAsync(cancellationToken) : Task.CompletedTask; // asked again: who gives one back from here on sees us wait
        }
    }
}
