namespace FastListener.Hosting;

/// <summary>
/// Gives memory back to the system after a storm: what a storm leaves on the heap would otherwise lie there until the next one, because a
/// process with nothing to do never collects garbage. Only while no request comes or goes, so that nobody waits for it.
/// </summary>
internal sealed class IdleMemory : IDisposable
{
    private const long WorthIt = 8L * 1024 * 1024; // bytes allocated since the last time
    private const int CrowdGone = 200; // connections that have ended since, which hold some 10 KiB each and allocate nothing when they end
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly Func<int> _connections;
    private readonly Func<int> _underWay;
    private readonly Func<long> _finished;
    private readonly Action _trim;
    private readonly ITimer _timer;
    private long _seen = -1;
    private int _connected;
    private long _allocated = GC.GetTotalAllocatedBytes();

    /// <param name="connections">Connections that are open.</param>
    /// <param name="underWay">Uploads under way.</param>
    /// <param name="finished">Requests that have been answered since the start.</param>
    /// <param name="trim">Lets go of what is only kept to be used again.</param>
    /// <param name="time">The clock.</param>
    public IdleMemory(Func<int> connections, Func<int> underWay, Func<long> finished, Action trim, TimeProvider time)
    {
        _connections = connections;
        _underWay = underWay;
        _finished = finished;
        _trim = trim;
        _timer = time.CreateTimer(static memory => ((IdleMemory)memory!).Look(), this, Interval, Interval);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        var finished = _finished();
        var connected = _connections();
        if (finished == _seen && _underWay() == 0
            && (GC.GetTotalAllocatedBytes() - _allocated >= WorthIt || _connected - connected >= CrowdGone))
        {
            _trim();
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            _allocated = GC.GetTotalAllocatedBytes();
            _connected = connected;
        }

        _seen = finished;
    }
}
