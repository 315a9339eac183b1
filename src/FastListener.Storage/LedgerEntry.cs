using FastListener.Storage.Commit;

namespace FastListener.Storage;

/// <summary>
/// One request in the ledger, written by two hands that do not see each other's figures: whoever receives it opens the entry, counts the bytes
/// that came, and closes it; whoever decides about it says what became of it, and for what is stored its row in the batch does. Both sides reach
/// the catalog in one transaction: with the batch when the request was stored, else with a later batch or within seconds. An entry that
/// one hand forgot, or wrote twice, is booked as it is, and <see cref="Audit"/> finds the sides unequal: a row that nobody received, one that is
/// there twice, a request that came to nothing.
/// </summary>
/// <remarks>One for each connection, used again; one thread at a time, but for the committer's while a commit is awaited.</remarks>
public sealed class LedgerEntry
{
    private readonly Books _books;
    private string? _outcome;
    private long _bytesIn;
    private bool _open;
    private bool _counted; // the receiver's side went into a batch

    internal LedgerEntry(Books books) => _books = books;

    /// <summary>Whose request it is (<see cref="Submission.Account"/>); empty while nobody knows. Set before it is closed.</summary>
    public string Account { get; set; } = string.Empty;

    /// <summary>The receiver: bytes received for it. Set when all of it is here, before anybody can commit it.</summary>
    public long ReceivedBytes { get; set; }

    /// <summary>The receiver: a request begins, and has to have an outcome. The one before, if it was not closed, is.</summary>
    public void Open()
    {
        Close(ReceivedBytes);
        (_open, _counted, _outcome, _bytesIn, ReceivedBytes, Account) = (true, false, null, 0, 0, string.Empty);
    }

    /// <summary>Whoever decides: it asks for nothing that is accounted for. From here on it is on neither side; were it stored, nobody would have received it.</summary>
    public void Dismiss() => _open = false;

    /// <summary>Whoever decides: the request was not stored. Ignored for a request that is not open, or is stored.</summary>
    /// <param name="outcome">A stable word.</param>
    /// <param name="bytesIn">Bytes received for it, as whoever decides counts them.</param>
    public void Settle(string outcome, long bytesIn)
    {
        if (!_open || _counted)
        {
            return;
        }

        if (_outcome is { } earlier)
        {
            _books.Add(Account, earlier, new Tally { Requests = 1, BytesIn = _bytesIn });
        }

        (_outcome, _bytesIn) = (outcome, bytesIn);
    }

    /// <summary>The receiver: the request is over. Does nothing when it is not open.</summary>
    /// <param name="receivedBytes">Bytes received for it, as the receiver counts them.</param>
    public void Close(long receivedBytes)
    {
        if (!_open)
        {
            return;
        }

        _open = false;
        if (!_counted)
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

    /// <summary>The committer: adds what the receiver counted to the sums of its batch. Nothing when nobody has received it, nor a second time.</summary>
    internal void AddReceivedTo(ref Tally tally)
    {
        if (_open && !_counted)
        {
            _counted = true;
            tally.Received++;
            tally.ReceivedBytes += ReceivedBytes;
        }
    }

    /// <summary>The committer: the batch was not committed, so that its receiver's side is still to be booked.</summary>
    internal void GiveBack() => _counted = false;
}
