using FastListener.Storage.Commit;

namespace FastListener.Storage.Catalog;

/// <summary>The ledger as its writer sees it, within the transactions of a <see cref="CatalogWriter"/>.</summary>
internal sealed class LedgerWriter(CatalogConnection connection)
{
    private readonly CatalogStatement _book = connection.Prepare(
        "INSERT INTO ledger(hour, account_id, outcome, received, received_bytes, requests, bytes_in, bytes_kept) VALUES(?,?,?,?,?,?,?,?) "
        + "ON CONFLICT DO UPDATE SET received=received+excluded.received, received_bytes=received_bytes+excluded.received_bytes, "
        + "requests=requests+excluded.requests, bytes_in=bytes_in+excluded.bytes_in, bytes_kept=bytes_kept+excluded.bytes_kept");

    private readonly CatalogStatement _note = connection.Prepare("UPDATE instances SET ledger_transaction=? WHERE id=?");

    /// <summary>Adds to an account's sums of one outcome in one hour (Unix time / 3,600); nothing when there is nothing to add.</summary>
    public void Book(long hour, int accountId, ReadOnlySpan<byte> outcome, in Tally tally)
    {
        if (tally != default)
        {
            _book
                .Bind(1, hour).Bind(2, accountId).BindText(3, outcome)
                .Bind(4, tally.Received).Bind(5, tally.ReceivedBytes)
                .Bind(6, tally.Requests).Bind(7, tally.BytesIn).Bind(8, tally.BytesKept)
                .Run();
        }
    }

    /// <summary>Numbers the transaction, so that one whose commit failed can be asked for.</summary>
    public void NoteTransaction(uint instance, long number) => _note.Bind(1, number).Bind(2, instance).Run();

    /// <summary>The number of the instance's last transaction that was committed.</summary>
    public long LastTransaction(uint instance) => connection.Scalar($"SELECT ledger_transaction FROM instances WHERE id={instance}");

    /// <summary>Takes back what was booked for a pack's rows from <paramref name="start"/> on, before they are deleted: their batch counts as never received.</summary>
    public void TakeBack(long pack, long start)
    {
        const string Booked = " WHERE pack=?1 AND offset>=max(?2, (SELECT unbooked_end FROM packs WHERE id=?1))";
        const string Columns = "account_id, committed_at, flags, wire_bytes, kept_bytes";
        var booked = new List<(long Hour, int AccountId, bool Degraded, Tally Tally)>();
        using (var sums = connection.Prepare(
            $"SELECT account_id, committed_at/{Packs.UnixMicroseconds.Hour}, flags&{ObjectRow.DegradationFlags}<>0, count(*), sum(wire_bytes), sum(kept_bytes) "
            + $"FROM (SELECT {Columns} FROM objects{Booked} UNION ALL SELECT {Columns} FROM attachments{Booked}) GROUP BY 1, 2, 3"))
        {
            sums.Bind(1, pack).Bind(2, start);
            while (sums.Step())
            {
                booked.Add((sums.Int64(1), sums.Int32(0), sums.Int64(2) != 0, new Tally
                {
                    Received = -sums.Int64(3),
                    ReceivedBytes = -sums.Int64(4),
                    Requests = -sums.Int64(3),
                    BytesIn = -sums.Int64(4),
                    BytesKept = -sums.Int64(5),
                }));
            }
        }

        foreach (var (hour, accountId, degraded, tally) in booked)
        {
            Book(hour, accountId, degraded ? "degraded"u8 : "accepted"u8, tally);
        }
    }
}
