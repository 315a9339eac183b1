using System.Threading.Channels;

namespace FastListener.Storage.Commit;

/// <summary>
/// Where finished submissions arrive, and what of them makes the next batch. The queue may be written by any thread; all else belongs to the committer's,
/// which sleeps here while nothing waits.
/// </summary>
internal sealed class Gatherer : IDisposable
{
    private const int LeastBatchBytes = 512 * 1024; // of records: less would be more flushes than it saves waiting
    private const int IdleMilliseconds = 2_000; // what waits for the ledger waits no longer than this

    private readonly Channel<Submission> _queue;
    private readonly ManualResetEventSlim _woken = new(initialState: false, spinCount: 0); // spinning would take the cores from the senders
    private readonly Action _wake;
    private readonly Action _whenIdle;
    private readonly Action _whenWoken;
    private readonly FairQueue _lanes;
    private readonly int _mostInLanes;
    private readonly int _mostInBatch;
    private int _inLanes;

    /// <summary>Both actions run on the committer's thread, while nothing waits: the first when that begins and every two seconds, the second after <see cref="Wake"/>.</summary>
    public Gatherer(StoreOptions options, Action whenIdle, Action whenWoken)
    {
        _whenIdle = whenIdle;
        _whenWoken = whenWoken;
        _wake = _woken.Set;
        _lanes = new(options.FairQuantumBytes);
        _mostInLanes = options.QueueLength * 4;
        _mostInBatch = options.MaxBatchObjects;
        _queue = Channel.CreateBounded<Submission>(new BoundedChannelOptions(options.QueueLength)
        {
            SingleReader = true,
            AllowSynchronousContinuations = true, // the only continuation is a signal to our own thread
        });
    }

    /// <summary>Completed, it ends the gathering once everything is taken.</summary>
    public ChannelWriter<Submission> Queue => _queue.Writer;

    /// <summary>Submissions that wait for a batch.</summary>
    public int Queued => _queue.Reader.Count + Volatile.Read(ref _inLanes);

    /// <summary>Something else than a submission wants the committer's thread.</summary>
    public void Wake() => _woken.Set();

    /// <summary>
    /// Waits for a submission, sorts what else is there by account, and takes half of it, each account in its turn: half, so that the senders of one half
    /// are served while the other half is committed. Taking all, everybody would soon wait for the same commit, and the disk for everybody. What is too
    /// little to be worth a flush of its own is taken whole. False at the end.
    /// </summary>
    public bool Gather(List<BatchEntry> batch, int room)
    {
        batch.Clear();
        if (_lanes.Count == 0 && !WaitForFirst())
        {
            return false;
        }

        while (_lanes.Count < _mostInLanes && _queue.Reader.TryRead(out var arrived))
        {
            _lanes.Add(arrived);
        }

        var enough = room - LeastBatchBytes;
        var most = Math.Min(_mostInBatch, _lanes.Count);
        while (batch.Count < most && (room > enough || batch.Count * 2 < most) && _lanes.Take(room, isFirst: batch.Count == 0) is { } next)
        {
            batch.Add(new BatchEntry(next, next.FollowUpOf));
            room -= next.Parts.Record.Length;
        }

        Volatile.Write(ref _inLanes, _lanes.Count);
        return batch.Count > 0;
    }

    /// <summary>One of those that wait, whichever; null when none is left.</summary>
    public Submission? TakeAny()
    {
        var taken = _lanes.Take(0, isFirst: true) ?? (_queue.Reader.TryRead(out var arrived) ? arrived : null);
        Volatile.Write(ref _inLanes, _lanes.Count);
        return taken;
    }

    public void Dispose() => _woken.Dispose();

    private bool WaitForFirst()
    {
        Submission? first;
        while (!_queue.Reader.TryRead(out first))
        {
            _whenIdle();
            if (_queue.Reader.TryRead(out first))
            {
                break;
            }

#pragma warning disable CA2012 // consumed once, below: this thread waits by its own event instead of an await
            var wait = _queue.Reader.WaitToReadAsync(CancellationToken.None).GetAwaiter();
#pragma warning restore CA2012
            if (!wait.IsCompleted)
            {
                _woken.Reset();
                wait.UnsafeOnCompleted(_wake);
                SleepUntil(wait);
            }

            if (!wait.GetResult())
            {
                return false;
            }
        }

        _lanes.Add(first);
        return true;
    }

    private void SleepUntil(System.Runtime.CompilerServices.ValueTaskAwaiter<bool> arrival)
    {
        while (true)
        {
            _whenWoken();
            if (!_woken.Wait(IdleMilliseconds))
            {
                _whenIdle();
                continue;
            }

            if (arrival.IsCompleted)
            {
                return;
            }

            _woken.Reset(); // it was not an arrival; one that came before this shows in the awaiter
            if (arrival.IsCompleted)
            {
                return;
            }
        }
    }
}
