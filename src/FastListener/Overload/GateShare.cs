namespace FastListener.Overload;

/// <summary>
/// One payer's part in a <see cref="FairGate"/>: its waiters in their order, what it may still spend before others get their turn, its own
/// limit and rate. A payer is a token; those who have not shown one yet are one payer together.
/// </summary>
/// <remarks>Everything but <see cref="IsLimited"/> is guarded by the lock of the gate that the share is used with.</remarks>
internal sealed class GateShare
{
    private int _limit;
    private long _rate;
    private long _burst;
    private double _level;
    private long _levelAt;

    /// <summary>Whether this payer has a limit of its own, so that entering takes more than a look at the gate.</summary>
    public bool IsLimited => Volatile.Read(ref _limit) != 0 || Volatile.Read(ref _rate) != 0;

    internal GatePlace? First { get; private set; }

    internal GatePlace? Last { get; private set; }

    internal GateShare? NextInRing { get; set; }

    internal bool InRing { get; set; }

    internal bool Parked { get; set; }

    internal bool Visited { get; set; }

    internal long Deficit { get; set; }

    /// <summary>Those inside that were counted: who entered while there was no limit is not.</summary>
    internal int Inside { get; set; }

    /// <summary>Sets the limits; they hold for whoever enters from now on, and for those who wait already.</summary>
    /// <param name="limit">Most places at once; 0 is unlimited.</param>
    /// <param name="perSecond">Cost that may enter in a second; 0 is unlimited.</param>
    /// <param name="burst">Cost that may be saved up while nobody enters; 1 or more when there is a rate.</param>
    /// <param name="now">The present time stamp.</param>
    internal void SetLimits(int limit, long perSecond, long burst, long now)
    {
        if (_rate == 0 && perSecond != 0)
        {
            _level = burst;
            _levelAt = now;
        }

        Volatile.Write(ref _burst, burst);
        Volatile.Write(ref _rate, perSecond);
        Volatile.Write(ref _limit, limit);
    }

    /// <summary>Whether its own limits let one more in now.</summary>
    internal bool MayEnter(long now, TimeProvider time)
    {
        if (_limit != 0 && Inside >= _limit)
        {
            return false;
        }

        if (_rate == 0)
        {
            return true;
        }

        _level = Math.Min(_burst, _level + (_rate * ((now - _levelAt) / (double)time.TimestampFrequency)));
        _levelAt = now;
        return _level > 0;
    }

    /// <summary>How long until its rate lets one more in; zero when its rate is not what it waits for.</summary>
    internal TimeSpan Recovery => _rate == 0 || _level > 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(3600, (1 - _level) / _rate));

    /// <summary>Pays for one who enters. The rate may fall into debt: a slice is never cut to fit.</summary>
    internal void Pay(int cost)
    {
        Inside++;
        if (_rate != 0)
        {
            _level -= cost;
        }
    }

    internal void Append(GatePlace place, bool first)
    {
        place.Next = first ? First : null;
        place.Previous = first ? null : Last;
        if (place.Next is null)
        {
            Last = place;
        }
        else
        {
            place.Next.Previous = place;
        }

        if (place.Previous is null)
        {
            First = place;
        }
        else
        {
            place.Previous.Next = place;
        }
    }

    internal void Remove(GatePlace place)
    {
        if (place.Previous is null)
        {
            First = place.Next;
        }
        else
        {
            place.Previous.Next = place.Next;
        }

        if (place.Next is null)
        {
            Last = place.Previous;
        }
        else
        {
            place.Next.Previous = place.Previous;
        }

        place.Next = place.Previous = null;
    }
}
