namespace FastListener.Overload;

/// <summary>The payers of a <see cref="FairGate"/> that have somebody waiting, in a circle: a list that costs no allocation. Under the gate's lock.</summary>
internal sealed class GateRing
{
    private GateShare? _last; // its next is the first

    /// <summary>Whose turn it is; null when nobody waits.</summary>
    public GateShare? First => _last?.NextInRing;

    /// <summary>Puts a payer that is not in it at the end.</summary>
    public void Add(GateShare share)
    {
        share.InRing = true;
        share.NextInRing = _last?.NextInRing ?? share;
        if (_last is { } last)
        {
            last.NextInRing = share;
        }

        _last = share;
    }

    /// <summary>Takes a payer out that is in it.</summary>
    public void Remove(GateShare share)
    {
        var before = share;
        while (before.NextInRing != share)
        {
            before = before.NextInRing!;
        }

        before.NextInRing = share.NextInRing;
        if (_last == share)
        {
            _last = before == share ? null : before;
        }

        share.NextInRing = null;
        share.InRing = false;
    }

    /// <summary>The first becomes the last.</summary>
    public void Rotate() => _last = First;
}
