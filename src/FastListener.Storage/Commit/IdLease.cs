using FastListener.Storage.Catalog;

namespace FastListener.Storage.Commit;

/// <summary>
/// Ids taken from a catalog counter in blocks, the next block together with a batch's own transaction. An id handed out is never handed out again,
/// whatever becomes of its batch. Used by the committer only.
/// </summary>
internal sealed class IdLease(string counter, int blockSize)
{
    private long _next = 1;
    private long _end = 1; // exclusive
    private long _spare; // first id of the next block; 0: none
    private long _leased; // taken in a transaction that is not committed yet

    /// <summary>Ids that can be handed out without the catalog.</summary>
    public long Available => _end - _next + (_spare == 0 ? 0 : blockSize);

    public long Take()
    {
        if (_next == _end)
        {
            if (_spare == 0)
            {
                throw new InvalidOperationException($"No {counter} ids leased.");
            }

            (_next, _end, _spare) = (_spare, _spare + blockSize, 0);
        }

        return _next++;
    }

    /// <summary>Inside a transaction: takes the next block when there is none in reserve.</summary>
    public void Renew(CatalogWriter catalog)
    {
        if (_spare == 0 && _leased == 0)
        {
            _leased = catalog.Lease(counter, blockSize);
        }
    }

    /// <summary>The transaction was committed.</summary>
    public void Confirm() => (_spare, _leased) = (_leased == 0 ? _spare : _leased, 0);

    /// <summary>The transaction was not, or nobody knows: its block is lost.</summary>
    public void Forget() => _leased = 0;

    /// <summary>Inside a transaction of a clean end: gives back what was not handed out, if nobody leased behind us.</summary>
    public void GiveBack(CatalogConnection connection)
    {
        var (first, end) = (_next, _end);
        if (_spare != 0)
        {
            first = first != end && end == _spare ? first : _spare; // what lies before a gap stays unused
            end = _spare + blockSize;
        }

        using var statement = connection.Prepare("UPDATE counters SET next=? WHERE name=? AND next=?");
        statement.Bind(1, first).BindText(2, counter).Bind(3, end).Run();
    }
}
