using FastListener.Storage.Commit;

namespace FastListener.Storage;

/// <summary>
/// One request in the ledger, written by two hands that do not see each other's figures: whoever receives it opens and closes the entry and
/// counts the bytes that came; whoever decides about it says what became of it. Both sides reach the catalog in one transaction: with the batch
/// when the request was stored, else with a later batch or within seconds. An entry that one hand forgot, or wrote twice, is booked
/// as it is, and <see cref="Audit"/> finds the sides unequal.
/// </summary>
/// <remarks>One for each connection, used again; one thread at a time, but for the committer's while a commit is awaited.</remarks>
public sealed class LedgerEntry
{
    private readonly Books _books;
    private string? _outcome;
    private long _bytesIn;
    private bool _open;
    private bool _stored;

    internal LedgerEntry(Books books) => _books = books;

    /// <summary>Whose request it is (<see cref="Submission.Account"/>); empty while nobody knows. Set before it is closed.</summary>
    public string Account { get; set; } = string.Empty;

    /// <summary>Bytes received for it, as the receiver counts them. Set before the submission is committed.</summary>
    public long ReceivedBytes { get; set; }

    /// <summary>The receiver: from here on the request has to have an outcome. Does nothing a second time.</summary>
    public void Open()
    {
        if (!_open)
        {
            (_open, _stored, _outcome, _bytesIn, ReceivedBytes, Account) = (true, false, null, 0, 0, string.Empty);
        }
    }

    /// <summary>Whoever decides: the request was not stored. Ignored for a request that was not opened, or is stored.</summary>
    /// <param name="outcome">A stable word.</param>
    /// <param name="bytesIn">Bytes received for it, as whoever decides counts them.</param>
    public void Settle(string outcome, long bytesIn)
    {
        if (!_open || _stored)
        {
            return;
        }

        if (_outcome is { } earlier)
        {
            _books.Add(Account, earlier, new Tally { Requests = 1, BytesIn = _bytesIn });
        }

        (_outcome, _bytesIn) = (outcome, bytesIn);
    }

    /// <summary>The receiver: the request is over. Does nothing when it was not opened.</summary>
    /// <param name="receivedBytes">Bytes received for it, as the receiver counts them.</param>
    public void Close(long receivedBytes)
    {
        if (!_open)
        {
            return;
        }

        _open = false;
        if (!_stored)
        {
            _books.Add(Account, _outcome ?? LedgerOutcome.Unsettled, new Tally
            {
                Received = 1,
                ReceivedBytes = receivedBytes,
                Requests = _outcome is null ? 0 : 1,
                BytesIn = _bytesIn,
            });
        }
    }

    /// <summary>The committer: both sides of it were booked with the batch.</summary>
    internal void MarkStored() => _stored = true;
}
