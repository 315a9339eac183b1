using System.IO.Hashing;
using FastListener.Storage.Catalog;
using FastListener.Storage.Packs;

namespace FastListener.Storage;

/// <summary>Re-reads everything committed and compares it with its checksums; works while a server runs.</summary>
public static class Verification
{
    /// <summary>Reads the whole store. Damage is reported, never repaired and never dropped.</summary>
    public static VerificationReport Run(string dataDirectory, IProgress<UpkeepProgress>? progress = null, CancellationToken cancel = default)
    {
        using var reader = StoreReader.Open(dataDirectory);
        var run = new VerificationRun(reader, progress, cancel);
        try
        {
            run.CheckCatalog();
            foreach (var row in reader.Catalog.All())
            {
                cancel.ThrowIfCancellationRequested();
                run.Check(row);
            }
        }
        catch (CatalogDamagedException damage)
        {
            run.CatalogFailed(damage);
        }

        return run.Finish();
    }
}

/// <summary>One pass over a store.</summary>
internal sealed class VerificationRun(StoreReader reader, IProgress<UpkeepProgress>? progress, CancellationToken cancel)
{
    private const int ReportEvery = 256;
    private readonly List<Damage> _damaged = [];
    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly XxHash128 _hash = new();
    private long _objects;
    private long _total;
    private long _payloads;
    private long _omitted;
    private long _bytes;

    /// <summary>The database's own structure, and attachments whose object is missing.</summary>
    public void CheckCatalog()
    {
        var connection = reader.Catalog.Connection;
        _total = connection.Scalar("SELECT count(*) FROM objects");
        using (var check = connection.Prepare("PRAGMA quick_check(20)"))
        {
            while (check.Step())
            {
                if (check.Text(0) is var answer and not "ok")
                {
                    _damaged.Add(new(0, string.Empty, -1, "catalog.db", answer));
                }
            }
        }

        using var lost = connection.Prepare("SELECT object_id, first_index, pack, offset FROM attachments WHERE object_id NOT IN (SELECT id FROM objects)");
        while (lost.Step())
        {
            _damaged.Add(new(lost.Int64(0), string.Empty, lost.Int32(1), Place(lost.Int64(2), lost.Int64(3)), "The attachment's object is missing from the catalog."));
        }
    }

    /// <summary>The catalog could not be read to its end: what comes after is not known.</summary>
    public void CatalogFailed(CatalogDamagedException damage) =>
        _damaged.Add(new(0, string.Empty, -1, "catalog.db", damage.Message + ". Salvage can rebuild the catalog."));

    public void Check(CatalogRow row)
    {
        _objects++;
        var id = row.Numbers.Id;
        var rxid = ReceiptId.Rxid(id, row.Numbers.Random);
        CheckRecord(id, rxid, -1, row.Numbers.Place, record => Difference(row, record));
        CheckPayloads(id, rxid, 0, row.Numbers.Place, () => StoreReader.Payloads(row));
        foreach (var late in reader.Catalog.LateAttachments(id))
        {
            CheckRecord(id, rxid, late.FirstIndex, late.Place, record => Difference(late, record));
            CheckPayloads(id, rxid, late.FirstIndex, late.Place, () => StoreReader.Payloads(late));
        }

        if (_objects % ReportEvery == 0)
        {
            Report();
        }
    }

    public VerificationReport Finish()
    {
        Report();
        return new(_objects, _payloads, _omitted, _bytes, _damaged);
    }

    private string? Difference(CatalogRow row, StoredRecord record) =>
        record.IsLate || record.ObjectId != row.Numbers.Id || record.Random != row.Numbers.Random ? "The record is another object's."
        : record.ReceivedAt != row.Numbers.ReceivedAt || record.CommittedAt != row.Numbers.CommittedAt || record.Format != (ObjectFormat)row.Numbers.Format
            || !record.Client.AsSpan().SequenceEqual(row.Client) ? "The catalog's row differs from the record."
        : !record.Signature.AsSpan().SequenceEqual(row.Signature) ? "The catalog's attribute signature differs from the record."
        : !record.Table.AsSpan().SequenceEqual(row.Table) ? "The catalog's list of payloads differs from the record."
        : record.Degradation != row.Degradation || record.DegradedReason != row.DegradedReason ? "The catalog and the record differ in what was given up."
        : DifferenceIn(row.Charge, record);

    private string? Difference(LateRow row, StoredRecord record) =>
        !record.IsLate || record.ObjectId != row.ObjectId || record.FirstIndex != row.FirstIndex ? "The record is another attachment's."
        : !record.Table.AsSpan().SequenceEqual(row.Table) ? "The catalog's list of payloads differs from the record."
        : record.Degradation != row.Degradation || record.DegradedReason != row.DegradedReason ? "The catalog and the record differ in what was given up."
        : DifferenceIn(row.Charge, record);

    private string? DifferenceIn(in Charge charge, StoredRecord record) =>
        reader.Catalog.AccountKey(charge.AccountId) != record.Account || charge.WireBytes != record.WireBytes
            ? "The catalog and the record differ in who sent it or how much was received."
            : null;

    private static string Place(long pack, long offset) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"packs/{PackLayout.FileName(pack)}+{offset}");

    private void CheckRecord(long id, string rxid, int index, in RecordPlace place, Func<StoredRecord, string?> compare)
    {
        string? problem;
        try
        {
            problem = compare(reader.Packs.Read(place));
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            problem = exception.Message;
        }

        if (problem is not null)
        {
            _damaged.Add(new(id, rxid, index, Place(place.Pack, place.Offset), problem));
        }
    }

    private void CheckPayloads(long id, string rxid, int firstIndex, in RecordPlace place, Func<List<PayloadInfo>> read)
    {
        List<PayloadInfo> payloads;
        try
        {
            payloads = read();
        }
        catch (InvalidDataException exception)
        {
            _damaged.Add(new(id, rxid, firstIndex, Place(place.Pack, place.Offset), "The catalog's list of payloads cannot be read: " + exception.Message));
            return;
        }

        foreach (var payload in payloads)
        {
            if (payload.IsOmitted)
            {
                _omitted++;
                continue;
            }

            _payloads++;
            if (ProblemOf(payload) is { } problem)
            {
                _damaged.Add(new(id, rxid, payload.Index, payload.Location, problem));
            }
        }
    }

    private string? ProblemOf(PayloadInfo payload)
    {
        try
        {
            using var stream = reader.OpenPayload(payload);
            if (stream.Length != payload.Size)
            {
                return $"{stream.Length} bytes instead of {payload.Size}.";
            }

            _hash.Reset();
            int read;
            while ((read = stream.Read(_buffer)) > 0)
            {
                cancel.ThrowIfCancellationRequested();
                _hash.Append(_buffer.AsSpan(0, read));
                _bytes += read;
                if (payload.File is not null && read == _buffer.Length)
                {
                    ReportLarge();
                }
            }

            Span<byte> checksum = stackalloc byte[16];
            _hash.GetCurrentHash(checksum);
            return Convert.ToHexStringLower(checksum) == payload.Checksum ? null : "The bytes do not have the checksum they were committed with.";
        }
        catch (IOException exception)
        {
            return exception.Message;
        }
    }

    private void Report() => progress?.Report(new("verifying", _objects, _total, _bytes));

    private void ReportLarge()
    {
        if (_bytes % (64L * 1024 * 1024) < _buffer.Length)
        {
            Report();
        }
    }
}
