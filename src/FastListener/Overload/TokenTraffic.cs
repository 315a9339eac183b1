namespace FastListener.Overload;

/// <summary>
/// What a token's uploads take of the listener now. Lives as long as the token does, whatever is edited about it: a new table of tokens
/// takes it over from the one before.
/// </summary>
internal sealed class TokenTraffic
{
    private long _waitedMilliseconds;

    /// <summary>Its part in the limit of uploads at once.</summary>
    public GateShare Uploads { get; } = new();

    /// <summary>Its part in the turns of reading, and its rate.</summary>
    public GateShare Reading { get; } = new();

    /// <summary>How long its uploads have been made to wait by us, all together.</summary>
    public TimeSpan Waited => TimeSpan.FromMilliseconds(Volatile.Read(ref _waitedMilliseconds));

    public void CountWait(TimeSpan waited) => Interlocked.Add(ref _waitedMilliseconds, (long)waited.TotalMilliseconds);
}
