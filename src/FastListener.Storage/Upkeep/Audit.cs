using System.Globalization;
using FastListener.Storage.Catalog;
using FastListener.Storage.Packs;

namespace FastListener.Storage;

/// <summary>
/// Holds the two sides of the ledger against each other, and what it says is stored against the catalog and the packs, counted anew. Works while a
/// server runs: everything is compared as it was at one moment, the last batch then committed included.
/// </summary>
public static class Audit
{
    private const int Attempts = 3;

    /// <summary>
    /// Counts. Reads every record, not the payload bytes: that is <see cref="Verification"/>'s. The ledger is kept by hours, so <paramref name="since"/>
    /// counts from the beginning of its hour. Throws <see cref="StoreUnusableException"/> when there is no store, or none with a ledger.
    /// </summary>
    public static AuditReport Run(
        string dataDirectory, DateTimeOffset? since = null, IProgress<UpkeepProgress>? progress = null, CancellationToken cancel = default)
    {
        using var reader = StoreReader.Open(dataDirectory);
        if (reader.Catalog.Version < CatalogSchema.LedgerVersion)
        {
            throw new StoreUnusableException($"The catalog in {dataDirectory} is from before there was a ledger: start the server on it once.");
        }

        try
        {
            for (var attempt = 1; ; attempt++)
            {
                var report = new AuditRun(reader, new StoreLayout(dataDirectory), since, progress, cancel).Run();
                if (report.IsClean || attempt == Attempts)
                {
                    return report; // a batch whose bytes did not become durable may have been taken out while it was counted
                }
            }
        }
        catch (CatalogDamagedException damage)
        {
            throw new StoreUnusableException($"{damage.Message}. Salvage can rebuild the catalog.", damage);
        }
    }
}

/// <summary>One count.</summary>
internal sealed class AuditRun(StoreReader reader, StoreLayout layout, DateTimeOffset? since, IProgress<UpkeepProgress>? progress, CancellationToken cancel)
{
    private const int PageRows = 512;
    private const int NamedProblems = 20;
    private const string Columns = "committed_at, account_id, flags, wire_bytes, kept_bytes, pack, offset, length";

    private readonly long _hour = since is { } time ? UnixMicroseconds.From(time) / UnixMicroseconds.Hour : 0;
    private readonly Dictionary<long, (long End, long Unbooked)> _packs = [];
    private readonly List<AuditLine> _lines = [];
    private readonly Dictionary<(string Account, string Outcome), StoredCount> _inCatalog = [];
    private readonly Dictionary<(string Account, string Outcome), StoredCount> _inPacks = [];
    private readonly List<string> _differences = [];
    private Dictionary<int, string> _accounts = [];
    private long _problems;
    private long _unbooked;
    private long _counted;
    private long _total;

    public AuditReport Run()
    {
        ReadSnapshot();
        Count($"SELECT {Columns}, id, 0 FROM objects WHERE id>?1 AND ?2=?2 ORDER BY id LIMIT ?3");
        Count($"SELECT {Columns}, object_id, first_index FROM attachments WHERE (object_id, first_index)>(?1, ?2) ORDER BY object_id, first_index LIMIT ?3");
        CompareSides();
        var stored = CompareStored();
        if (_problems > NamedProblems)
        {
            _differences.Add(Text($"{_problems - NamedProblems} further records cannot be counted; run verify."));
        }

        progress?.Report(new("counting", _counted, _total, 0));
        return new AuditReport
        {
            Since = since is null ? null : UnixMicroseconds.ToTime(_hour * UnixMicroseconds.Hour),
            Lines = _lines,
            Stored = stored,
            Unbooked = _unbooked,
            Differences = _differences,
        };
    }

    /// <summary>The ledger and the ends of the packs at one moment: a record is counted when it lies before its pack's end.</summary>
    private void ReadSnapshot()
    {
        var connection = reader.Catalog.Connection;
        connection.Execute("BEGIN");
        try
        {
            using var packs = connection.Prepare("SELECT id, committed_end, unbooked_end FROM packs");
            while (packs.Step())
            {
                _packs.Add(packs.Int64(0), (packs.Int64(1), packs.Int64(2)));
            }

            _accounts = reader.Catalog.AllAccounts();
            using var ledger = connection.Prepare(
                "SELECT account_id, outcome, sum(received), sum(received_bytes), sum(requests), sum(bytes_in), sum(bytes_kept) "
                + "FROM ledger WHERE hour>=? GROUP BY account_id, outcome");
            ledger.Bind(1, _hour);
            while (ledger.Step())
            {
                var line = new AuditLine(
                    KeyOf(ledger.Int32(0)), ledger.Text(1), ledger.Int64(2), ledger.Int64(3), ledger.Int64(4), ledger.Int64(5), ledger.Int64(6));
                if (line is not { Received: 0, ReceivedBytes: 0, Requests: 0, BytesIn: 0, BytesKept: 0 })
                {
                    _lines.Add(line);
                }
            }

            _total = connection.Scalar("SELECT (SELECT count(*) FROM objects)+(SELECT count(*) FROM attachments)");
        }
        finally
        {
            connection.Rollback();
        }
    }

    /// <summary>Counts the rows of a table page by page, and the record of each.</summary>
    private void Count(string sql)
    {
        using var rows = reader.Catalog.Connection.Prepare(sql);
        var page = new List<CountedRow>(PageRows);
        var (id, index) = (0L, -1L);
        do
        {
            page.Clear();
            rows.Bind(1, id).Bind(2, index).Bind(3, PageRows);
            while (rows.Step())
            {
                (id, index) = (rows.Int64(8), rows.Int64(9));
                page.Add(new(
                    id, rows.Int64(0), rows.Int32(1), rows.Int32(2), rows.Int64(3), rows.Int64(4), new(rows.Int64(5), rows.Int64(6), rows.Int64(7))));
            }

            rows.Reset();
            foreach (var row in page)
            {
                Count(row);
            }

            cancel.ThrowIfCancellationRequested();
            progress?.Report(new("counting", _counted, _total, 0));
        }
        while (page.Count == PageRows);
    }

    private void Count(in CountedRow row)
    {
        _counted++;
        if (!_packs.TryGetValue(row.Place.Pack, out var pack) || row.Place.Offset >= pack.End || row.CommittedAt < _hour * UnixMicroseconds.Hour)
        {
            return; // later than the moment that is audited, or too early
        }

        if (row.Place.Offset < pack.Unbooked)
        {
            _unbooked++;
            return;
        }

        Add(_inCatalog, KeyOf(row.AccountId), ObjectRow.DegradationOf(row.Flags), row.WireBytes, row.KeptBytes);
        try
        {
            var record = reader.Packs.Read(row.Place);
            if (RandomAccess.GetLength(reader.Packs.Open(row.Place.Pack)) < row.Place.Offset + row.Place.Length)
            {
                throw new InvalidDataException("The pack ends within the record.");
            }

            Add(_inPacks, record.Account ?? string.Empty, record.Degradation, record.WireBytes, record.Payloads.Sum(Kept));
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            if (++_problems <= NamedProblems)
            {
                _differences.Add(Text($"A record of object {row.ObjectId:x} (packs/{PackLayout.FileName(row.Place.Pack)}+{row.Place.Offset}) cannot be counted: {exception.Message}"));
            }
        }
    }

    /// <summary>The bytes of a payload that are there.</summary>
    private long Kept(PayloadInfo payload)
    {
        if (payload.IsOmitted || payload.File is not { } name)
        {
            return payload.IsOmitted ? 0 : payload.Size;
        }

        var file = new FileInfo(layout.File(name));
        return file.Exists ? file.Length : throw new FileNotFoundException($"files/{StoreLayout.FilePath(name)} is missing.");
    }

    /// <summary>What was received and what became of it, for each account and outcome.</summary>
    private void CompareSides()
    {
        foreach (var line in _lines)
        {
            if (line.Received != line.Requests || line.ReceivedBytes != line.BytesIn || line.Outcome == LedgerOutcome.Unsettled)
            {
                _differences.Add(Text(
                    $"{Name(line.Account)}, {line.Outcome}: {line.Received} requests with {line.ReceivedBytes} bytes were received, {line.Requests} with {line.BytesIn} have that outcome."));
            }
        }
    }

    private List<AuditStored> CompareStored()
    {
        var booked = _lines
            .Where(line => line.Outcome is LedgerOutcome.Accepted or LedgerOutcome.Degraded)
            .ToDictionary(line => (line.Account, line.Outcome), line => new StoredCount(line.Requests, line.BytesIn, line.BytesKept));
        var stored = new List<AuditStored>();
        foreach (var key in booked.Keys.Union(_inCatalog.Keys).Union(_inPacks.Keys).Order())
        {
            var counts = new AuditStored(
                key.Account, key.Outcome, booked.GetValueOrDefault(key), _inCatalog.GetValueOrDefault(key), _inPacks.GetValueOrDefault(key));
            stored.Add(counts);
            if (counts.Ledger != counts.Catalog || counts.Catalog != counts.Packs)
            {
                _differences.Add(
                    $"{Name(key.Account)}, {key.Outcome}: {Words(counts.Ledger)} in the ledger, {Words(counts.Catalog)} in the catalog, {Words(counts.Packs)} in the packs.");
            }
        }

        return stored;
    }

    private string KeyOf(int accountId) => _accounts.GetValueOrDefault(accountId, string.Empty);

    private static void Add(
        Dictionary<(string Account, string Outcome), StoredCount> counts, string account, Degradation degradation, long bytesIn, long bytesKept)
    {
        var key = (account, degradation is Degradation.None ? LedgerOutcome.Accepted : LedgerOutcome.Degraded);
        counts[key] = counts.GetValueOrDefault(key).Add(bytesIn, bytesKept);
    }

    private static string Name(string account) => account.Length == 0 ? "Nobody's" : account;

    private static string Words(StoredCount count) => Text($"{count.Submissions} ({count.BytesIn} bytes in, {count.BytesKept} kept)");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>The numbers of an object's or a late attachment's row.</summary>
    private readonly record struct CountedRow(
        long ObjectId, long CommittedAt, int AccountId, int Flags, long WireBytes, long KeptBytes, RecordPlace Place);
}
