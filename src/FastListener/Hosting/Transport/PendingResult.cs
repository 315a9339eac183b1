using System.Threading.Tasks.Sources;

namespace FastListener.Hosting.Transport;

/// <summary>
/// A read or flush that could not end at once, and whoever awaits it: one at a time, used again for the next. It ends on the thread that brings the
/// outcome, or, for those whose thread is not the handler's to use (a heartbeat, an abort), on the pool.
/// </summary>
/// <param name="gate">The connection's. No handler code runs under it.</param>
internal sealed class PendingResult<T>(Lock gate) : IValueTaskSource<T>, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<T> _core;
    private CancellationToken _token; // of whoever awaits it now: one of an earlier wait may be late, and is not heard
    private CancellationTokenRegistration _registration;
    private T? _outcome; // decided under the gate, told outside of it
    private Exception? _failure; // tells instead of the outcome, when there is one

    /// <summary>Somebody awaits it. Look under the gate.</summary>
    public bool IsAwaited { get; private set; }

    /// <summary>Makes ready for one more. Call under the gate.</summary>
    public void Begin(CancellationToken cancellationToken)
    {
        _core.Reset();
        _token = cancellationToken;
        IsAwaited = true;
    }

    /// <summary>What to await, after <see cref="Begin"/> and outside of the gate.</summary>
    public ValueTask<T> AsTask()
    {
        if (_token.CanBeCanceled)
        {
            Register();
        }

        return new ValueTask<T>(this, _core.Version);
    }

    /// <summary>Decides how it ends. Call under the gate, while it is awaited; then, outside, <see cref="Finish"/>.</summary>
    public void Decide(T outcome)
    {
        IsAwaited = false;
        _outcome = outcome;
    }

    /// <summary>Tells it to whoever waits, who goes on here.</summary>
    public void Finish()
    {
        var (outcome, failure) = (_outcome, _failure);
        (_outcome, _failure) = (default, null);
        _registration.Unregister();
        _registration = default;
        if (failure is null)
        {
            _core.SetResult(outcome!);
        }
        else
        {
            _core.SetException(failure);
        }
    }

    /// <summary>Decides how it ends, and has it told by another thread. Call under the gate, while it is awaited.</summary>
    public void FinishElsewhere(T outcome)
    {
        Decide(outcome);
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>The same for a failure.</summary>
    public void FailElsewhere(Exception failure)
    {
        _failure = failure;
        FinishElsewhere(default!);
    }

    T IValueTaskSource<T>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<T>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<T>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    void IThreadPoolWorkItem.Execute() => Finish();

    private void Register()
    {
        var registration = _token.UnsafeRegister(static (state, token) => ((PendingResult<T>)state!).OnTokenCancelled(token), this);
        lock (gate)
        {
            if (IsAwaited)
            {
                _registration = registration;
                return;
            }
        }

        registration.Unregister(); // it ended before we got here
    }

    private void OnTokenCancelled(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (IsAwaited && cancellationToken == _token)
            {
                FailElsewhere(new OperationCanceledException(cancellationToken));
            }
        }
    }
}
