namespace FastListener.Overload;

/// <summary>
/// Lets so many in at once and, while more want in, shares the turns fairly by cost among payers: deficit round robin (Shreedhar and
/// Varghese, 1995), each payer's own waiters in their order. Entering while nobody waits is one interlocked operation and allocates nothing.
/// </summary>
/// <remarks>
/// One payer with a thousand waiters gets as much as one with a single waiter. A payer that is over a limit of its own stands aside and
/// holds nobody else up.
/// </remarks>
internal sealed class FairGate : IDisposable
{
    /// <summary>The highest limit, for a gate that is to be open to all.</summary>
    public const int Open = Crowded - 1;

    private const int Crowded = 1 << 30; // in _state while somebody waits for a turn: nobody enters past them
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly ITimer _recovery;
    private readonly List<GateShare> _parked = [];
    private readonly GateRing _ring = new();
    private readonly HashSet<GateShare> _indebted = []; // who may have been charged since somebody began to wait
    private readonly int _quantum;
    private int _limit;
    private int _state; // those inside
    private int _waiting;
    private long _waits;
    private long _recoversAt = long.MaxValue; // when the timer is due

    /// <param name="limit">How many may be inside at once; 0 lets nobody in until it is raised.</param>
    /// <param name="quantum">What a payer may spend before the next one has its turn.</param>
    /// <param name="time">The clock of rates.</param>
    public FairGate(int limit, int quantum, TimeProvider time)
    {
        _limit = limit;
        _quantum = quantum;
        _time = time;
        _recovery = time.CreateTimer(static gate => ((FairGate)gate!).Recover(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Places inside now.</summary>
    public int Inside => Volatile.Read(ref _state) & Open;

    /// <summary>Places that wait now.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Waits since the start.</summary>
    public long Waits => Volatile.Read(ref _waits);

    /// <summary>How many may be inside at once.</summary>
    public int Limit => Volatile.Read(ref _limit);

    /// <summary>Changes how many may be inside; those inside stay.</summary>
    public void SetLimit(int limit)
    {
        lock (_lock)
        {
            Volatile.Write(ref _limit, limit);
            Dispatch();
        }
    }

    /// <summary>Changes a payer's own limits (see <see cref="GateShare.SetLimits"/>).</summary>
    public void SetLimits(GateShare share, int limit, long perSecond, long burst)
    {
        lock (_lock)
        {
            share.SetLimits(limit, perSecond, burst, _time.GetTimestamp());
            Unpark(share);
            Dispatch();
        }
    }

    /// <summary>
    /// Enters when that is possible at once. False: the place waits now, and its <see cref="GatePlace.WaitAsync"/> must be awaited.
    /// </summary>
    /// <param name="place">A place that is outside.</param>
    /// <param name="share">Who pays.</param>
    /// <param name="cost">What the turn costs the payer; bytes, or 1 where turns are equal.</param>
    /// <param name="first">Whether to wait in front of the payer's others: for one that has waited before.</param>
    public bool TryEnter(GatePlace place, GateShare share, int cost, bool first = false)
    {
        if (!share.IsLimited)
        {
            var seen = Volatile.Read(ref _state);
            while (seen < Volatile.Read(ref _limit))
            {
                var before = Interlocked.CompareExchange(ref _state, seen + 1, seen);
                if (before == seen)
                {
                    place.IsInside = true;
                    place.IsCounted = false;
                    return true;
                }

                seen = before;
            }
        }

        return EnterOrWait(place, share, cost, first);
    }

    /// <summary>
    /// Charges a payer for what its turns turned out to cost beyond what was said before. While others wait it pays with its next turns, and its rate,
    /// which is about what was said, does not change. Once nobody waits nothing is owed.
    /// </summary>
    public void Charge(GateShare share, long cost)
    {
        if (Volatile.Read(ref _waiting) == 0)
        {
            return;
        }

        lock (_lock)
        {
            share.Deficit -= cost;
            _indebted.Add(share);
        }
    }

    /// <summary>Leaves, if the place is inside, and lets the next one in.</summary>
    public void Leave(GatePlace place)
    {
        if (!place.IsInside)
        {
            return;
        }

        place.IsInside = false;
        if (!place.IsCounted)
        {
            if (Interlocked.Decrement(ref _state) >= Crowded)
            {
                lock (_lock)
                {
                    Dispatch();
                }
            }

            return;
        }

        lock (_lock)
        {
            var share = place.Share!;
            share.Inside--;
            Interlocked.Decrement(ref _state);
            Unpark(share);
            Dispatch();
        }
    }

    /// <summary>Ends a wait without a turn. Does nothing when the place does not wait, or was let in meanwhile. From any thread.</summary>
    public void Expire(GatePlace place)
    {
        lock (_lock)
        {
            if (!place.IsWaiting)
            {
                return;
            }

            var share = place.Share!;
            place.IsOverItsOwn = share.Parked;
            share.Remove(place);
            EndWait(place, entered: false);
            if (share.First is null)
            {
                Unpark(share);
                RemoveFromRing(share);
                ClearWhenEmpty();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _recovery.Dispose();

    private bool EnterOrWait(GatePlace place, GateShare share, int cost, bool first)
    {
        lock (_lock)
        {
            place.Share = share;
            place.Cost = cost;
            place.IsWaiting = true;
            place.BeginWait();
            share.Append(place, first);
            _waiting++;
            if (!share.Parked)
            {
                AddToRing(share);
            }

            Dispatch();
            if (place.IsInside)
            {
                return true; // nobody was before it
            }

            _waits++;
            return false;
        }
    }

    /// <summary>Lets in whom the limit lets in. Under the lock.</summary>
    private void Dispatch()
    {
        var now = _time.GetTimestamp();
        while (_ring.First is { } share && Inside < _limit)
        {
            if (!share.MayEnter(now, _time))
            {
                RemoveFromRing(share);
                Park(share);
                continue;
            }

            if (!share.Visited)
            {
                share.Visited = true;
                share.Deficit += _quantum;
            }

            var place = share.First!;
            if (place.Cost > share.Deficit)
            {
                share.Visited = false;
                _ring.Rotate();
                continue;
            }

            share.Deficit -= place.Cost;
            share.Pay(place.Cost);
            share.Remove(place);
            Interlocked.Increment(ref _state);
            place.IsInside = true;
            place.IsCounted = true;
            EndWait(place, entered: true);
            if (share.First is null)
            {
                RemoveFromRing(share);
            }
        }

        ClearWhenEmpty();
    }

    private void EndWait(GatePlace place, bool entered)
    {
        place.IsWaiting = false;
        _waiting--;
        place.EndWait(entered); // its continuation is queued to the thread pool: nothing foreign runs under the lock
    }

    private void AddToRing(GateShare share)
    {
        if (!share.InRing)
        {
            Interlocked.Or(ref _state, Crowded);
            _ring.Add(share);
        }
    }

    private void RemoveFromRing(GateShare share)
    {
        if (share.InRing)
        {
            _ring.Remove(share);
            share.Visited = false;
            share.Deficit = Math.Min(share.Deficit, 0); // what it saved up is gone, what it owes is not
        }
    }

    private void ClearWhenEmpty()
    {
        if (_ring.First is not null)
        {
            return;
        }

        Interlocked.And(ref _state, ~Crowded);
        foreach (var share in _indebted)
        {
            share.Deficit = 0;
        }

        _indebted.Clear();
    }

    private void Park(GateShare share)
    {
        share.Parked = true;
        _parked.Add(share);
        if (share.Recovery is var pause && pause != TimeSpan.Zero)
        {
            Arm(pause);
        }
    }

    private void Unpark(GateShare share)
    {
        if (share.Parked)
        {
            share.Parked = false;
            _parked.Remove(share);
            if (share.First is not null)
            {
                AddToRing(share);
            }
        }
    }

    /// <summary>Sees to it that the timer comes after the pause, or sooner: whoever parks later never puts off who is due before.</summary>
    private void Arm(TimeSpan pause)
    {
        pause = pause < ShortestPause ? ShortestPause : pause > LongestPause ? LongestPause : pause;
        var due = _time.GetTimestamp() + (long)(pause.TotalSeconds * _time.TimestampFrequency);
        if (due < _recoversAt)
        {
            _recoversAt = due;
            _recovery.Change(pause, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Time has passed: whoever stood aside because of its rate may try again.</summary>
    private void Recover()
    {
        lock (_lock)
        {
            _recoversAt = long.MaxValue;
            foreach (var share in _parked.ToArray())
            {
                Unpark(share);
            }

            Dispatch(); // parks them again, and arms the timer, where it is too early
        }
    }
}
