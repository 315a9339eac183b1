namespace FastListener.Storage.Commit;

/// <summary>One account's submissions, oldest first: a list threaded through the submissions themselves, so that waiting costs no memory.</summary>
internal sealed class Lane
{
    private Submission? _first;
    private Submission? _last;

    /// <summary>The next lane of the ring; null while the lane is empty.</summary>
    public Lane? Next { get; set; }

    /// <summary>Record bytes it may still put into batches before the next lane has its turn.</summary>
    public long Deficit { get; set; }

    public Submission? First => _first;

    public void Append(Submission submission)
    {
        if (_last is null)
        {
            _first = submission;
        }
        else
        {
            _last.NextInLane = submission;
        }

        _last = submission;
    }

    public Submission Take()
    {
        var taken = _first!;
        _first = taken.NextInLane;
        taken.NextInLane = null;
        if (_first is null)
        {
            _last = null;
        }

        return taken;
    }
}

/// <summary>
/// What waits for the committer, by account, and whose turn it is: deficit round robin over record bytes (Shreedhar and Varghese, 1995). However many
/// submissions one account has waiting, every other account's next one goes into a batch after at most one quantum of each. Within an account the
/// order of arrival is kept. Used by the committer's thread only; allocates nothing.
/// </summary>
internal sealed class FairQueue(int quantum)
{
    private Lane? _beforeTurn; // the ring's lane before the one whose turn it is
    private bool _turnBegun;

    /// <summary>Submissions waiting here.</summary>
    public int Count { get; private set; }

    public void Add(Submission submission)
    {
        var lane = submission.Sender.Lane;
        if (lane.First is null)
        {
            Join(lane);
        }

        lane.Append(submission);
        Count++;
    }

    /// <summary>
    /// The next one in turn; null when nothing waits, or when the next one's record is longer than <paramref name="room"/>: it keeps its turn
    /// and comes first as soon as there is room. A first one (<paramref name="isFirst"/>) comes whatever its length.
    /// </summary>
    public Submission? Take(int room, bool isFirst)
    {
        while (_beforeTurn?.Next is { } lane)
        {
            var length = lane.First!.Parts.Record.Length;
            var alone = ReferenceEquals(lane, _beforeTurn);
            if (!alone)
            {
                if (!_turnBegun)
                {
                    lane.Deficit += quantum;
                    _turnBegun = true;
                }

                if (length > lane.Deficit)
                {
                    PassTurn();
                    continue;
                }
            }

            if (length > room && !isFirst)
            {
                return null;
            }

            lane.Deficit = alone ? 0 : lane.Deficit - length;
            var taken = lane.Take();
            Count--;
            if (lane.First is null)
            {
                Leave(lane);
            }

            return taken;
        }

        return null;
    }

    private void Join(Lane lane)
    {
        if (_beforeTurn is null)
        {
            lane.Next = lane;
            _beforeTurn = lane;
            _turnBegun = false;
            return;
        }

        // Last in the ring: just before the lane whose turn it is.
        lane.Next = _beforeTurn.Next;
        _beforeTurn.Next = lane;
        _beforeTurn = lane;
    }

    private void PassTurn()
    {
        _beforeTurn = _beforeTurn!.Next;
        _turnBegun = false;
    }

    /// <summary>The lane whose turn it is has nothing left: it saves no turns up.</summary>
    private void Leave(Lane lane)
    {
        lane.Deficit = 0;
        _turnBegun = false;
        if (ReferenceEquals(lane, _beforeTurn))
        {
            _beforeTurn = null;
        }
        else
        {
            _beforeTurn!.Next = lane.Next;
        }

        lane.Next = null;
    }
}
