using System.Threading.Tasks.Sources;

namespace FastListener.Overload;

/// <summary>
/// One connection's place at a <see cref="FairGate"/>: outside, waiting or inside. Made once per connection and used again, so that
/// waiting allocates nothing. Used by one flow at a time.
/// </summary>
internal sealed class GatePlace : IValueTaskSource<bool>
{
    private ManualResetValueTaskSourceCore<bool> _wait = new() { RunContinuationsAsynchronously = true };

    /// <summary>Whether it is inside and must leave.</summary>
    public bool IsInside { get; internal set; }

    /// <summary>Whether its last wait expired because of its payer's own limit, and not because of others.</summary>
    public bool IsOverItsOwn { get; internal set; }

    internal bool IsWaiting { get; set; }

    internal bool IsCounted { get; set; }

    internal GateShare? Share { get; set; }

    internal GatePlace? Next { get; set; }

    internal GatePlace? Previous { get; set; }

    internal int Cost { get; set; }

    /// <summary>The wait that began when <see cref="FairGate.TryEnter"/> said no. True: inside now; false: it expired. Await it once.</summary>
    public ValueTask<bool> WaitAsync() => new(this, _wait.Version);

    internal void BeginWait() => _wait.Reset();

    internal void EndWait(bool entered) => _wait.SetResult(entered);

    bool IValueTaskSource<bool>.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);
}
