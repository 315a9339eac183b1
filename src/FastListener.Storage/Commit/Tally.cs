using System.Runtime.InteropServices;

namespace FastListener.Storage.Commit;

/// <summary>Sums of the ledger, both sides: what was received, and what became of it.</summary>
internal record struct Tally
{
    /// <summary>Requests, counted by the receiver.</summary>
    public long Received { get; set; }

    /// <summary>Bytes of theirs, counted by the receiver.</summary>
    public long ReceivedBytes { get; set; }

    /// <summary>Requests, counted with their outcome.</summary>
    public long Requests { get; set; }

    /// <summary>Bytes of theirs, counted with their outcome.</summary>
    public long BytesIn { get; set; }

    /// <summary>Payload bytes that are stored.</summary>
    public long BytesKept { get; set; }

    public void Add(in Tally more)
    {
        Received += more.Received;
        ReceivedBytes += more.ReceivedBytes;
        Requests += more.Requests;
        BytesIn += more.BytesIn;
        BytesKept += more.BytesKept;
    }
}

/// <summary>What one account's requests came to since the last transaction, by outcome. Written by any thread; a word costs memory once.</summary>
internal sealed class Tallies
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Tally> _byOutcome = new(StringComparer.Ordinal);
    private bool _dirty;

    /// <summary>True for the first of them since <see cref="MoveTo"/>.</summary>
    public bool Add(string outcome, in Tally tally)
    {
        lock (_lock)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_byOutcome, outcome, out _).Add(tally);
            return !_dirty && (_dirty = true);
        }
    }

    public void MoveTo(List<(Account Account, string Outcome, Tally Tally)> target, Account account)
    {
        lock (_lock)
        {
            _dirty = false;
            foreach (var outcome in _byOutcome.Keys)
            {
                ref var tally = ref CollectionsMarshal.GetValueRefOrNullRef(_byOutcome, outcome);
                if (tally != default)
                {
                    target.Add((account, outcome, tally));
                    tally = default;
                }
            }
        }
    }
}
