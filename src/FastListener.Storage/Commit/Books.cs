using System.Collections.Concurrent;
using FastListener.Storage.Catalog;
using FastListener.Storage.Packs;

namespace FastListener.Storage.Commit;

/// <summary>
/// What has to go into the ledger: of the batch at hand, and of requests that were not stored, whose sums wait here for a transaction. Sums count
/// as booked only when their transaction is known to be durable, and a transaction of which nobody knows is looked up by its number.
/// </summary>
internal sealed class Books(Accounts accounts)
{
    private readonly ConcurrentQueue<Account> _dirty = new();
    private readonly List<Account> _inBatch = [];
    private readonly List<(Account Account, string Outcome, Tally Tally)> _taken = [];
    private long _transaction;
    private bool _inDoubt;

    /// <summary>Whether sums wait for a transaction.</summary>
    public bool AnyWaiting => !_dirty.IsEmpty || _taken.Count > 0;

    /// <summary>Adds to the sums that wait. From any thread.</summary>
    public void Add(string key, string outcome, in Tally tally)
    {
        var account = accounts.Get(key);
        if (account.Unbooked.Add(outcome, tally))
        {
            _dirty.Enqueue(account);
        }
    }

    // From here on: the committer's thread.

    /// <summary>Counts a submission whose row is in the batch: what became of a request.</summary>
    public void CountStored(Submission submission)
    {
        var record = submission.Parts.Record;
        SumsOf(submission).Add(new Tally { Requests = 1, BytesIn = record.WireBytes, BytesKept = record.KeptBytes });
    }

    /// <summary>The other side of it: what the receivers have counted, whatever rows there are.</summary>
    public void CountReceived(List<BatchEntry> batch)
    {
        foreach (var entry in batch)
        {
            entry.Submission.Entry?.AddReceivedTo(ref SumsOf(entry.Submission));
        }
    }

    /// <summary>Books the batch, if there is one, and all that waits, in the transaction that is open.</summary>
    public void Write(LedgerWriter ledger, uint instance, long now, Func<Account, int> idOf)
    {
        if (_inDoubt && ledger.LastTransaction(instance) == _transaction)
        {
            _taken.Clear();
        }

        _inDoubt = false;
        var hour = now / UnixMicroseconds.Hour;
        foreach (var account in _inBatch)
        {
            var id = idOf(account);
            ledger.Book(hour, id, "accepted"u8, account.Accepted);
            ledger.Book(hour, id, "degraded"u8, account.Degraded);
        }

        for (var count = _dirty.Count; count > 0 && _dirty.TryDequeue(out var account); count--)
        {
            account.Unbooked.MoveTo(_taken, account);
        }

        if (_taken.Count > 0)
        {
            ledger.NoteTransaction(instance, ++_transaction);
        }

        foreach (var (account, outcome, tally) in _taken)
        {
            ledger.Book(hour, idOf(account), System.Text.Encoding.UTF8.GetBytes(outcome), tally);
        }
    }

    /// <summary>The transaction is durable.</summary>
    public void Confirm() => _taken.Clear();

    /// <summary>The transaction failed, or nobody knows: the next one asks the catalog.</summary>
    public void Doubt() => _inDoubt = _taken.Count > 0;

    /// <summary>Forgets the batch, whatever became of it.</summary>
    public void EndBatch()
    {
        foreach (var account in _inBatch)
        {
            account.Accepted = default;
            account.Degraded = default;
            account.IsInBatch = false;
        }

        _inBatch.Clear();
    }

    private ref Tally SumsOf(Submission submission)
    {
        var account = submission.Sender;
        if (!account.IsInBatch)
        {
            account.IsInBatch = true;
            _inBatch.Add(account);
        }

        return ref submission.Parts.Record.Degradation is Degradation.None ? ref account.Accepted : ref account.Degraded;
    }
}
