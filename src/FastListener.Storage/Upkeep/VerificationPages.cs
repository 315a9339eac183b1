using FastListener.Storage.Catalog;
using FastListener.Storage.Packs;

namespace FastListener.Storage;

/// <summary>
/// What the workers of a verification share: one pass over the catalog, first its objects and then its late attachments, given out page by page, and
/// what was found. Whichever worker read what, damage is reported in the order of the objects.
/// </summary>
internal sealed class VerificationPages(CatalogReader catalog, IProgress<UpkeepProgress>? progress)
{
    private const int LateStage = 1;
    private const int EndStage = 2;

    private readonly Lock _lock = new();
    private readonly List<Damage> _ofCatalog = [];
    private readonly SortedDictionary<int, List<Damage>> _damaged = []; // by page
    private readonly List<CatalogRow> _objectRows = [];
    private readonly List<LateRow> _lateRows = [];
    private int _stage;
    private int _pages;
    private (long Id, int Index) _last;
    private CatalogDamagedException? _failure;
    private VerificationCount _count;
    private long _total;

    /// <summary>The database's own structure, and attachments whose object is missing. False when it cannot be read.</summary>
    public bool CheckCatalog()
    {
        try
        {
            var connection = catalog.Connection;
            _total = connection.Scalar("SELECT count(*) FROM objects");
            using (var check = connection.Prepare("PRAGMA quick_check(20)"))
            {
                while (check.Step())
                {
                    if (check.Text(0) is var answer and not "ok")
                    {
                        _ofCatalog.Add(new(0, string.Empty, -1, "catalog.db", answer));
                    }
                }
            }

            using var lost = connection.Prepare("SELECT object_id, first_index, pack, offset FROM attachments WHERE object_id NOT IN (SELECT id FROM objects)");
            while (lost.Step())
            {
                _ofCatalog.Add(new(
                    lost.Int64(0), string.Empty, lost.Int32(1), PayloadTable.PackLocation(lost.Int64(2), lost.Int64(3)), "The attachment's object is missing from the catalog."));
            }

            return true;
        }
        catch (CatalogDamagedException damage)
        {
            _failure = damage;
            return false;
        }
    }

    /// <summary>Replaces the page by the next one; false when there is none.</summary>
    public bool TryTake(VerificationPage page)
    {
        lock (_lock)
        {
            page.Clear(_pages++);
            while (_stage < EndStage)
            {
                try
                {
                    if (_stage < LateStage ? TakeObjects(page) : TakeLate(page))
                    {
                        Report();
                        return true;
                    }
                }
                catch (CatalogDamagedException damage)
                {
                    _failure ??= damage; // what comes after is not known
                    page.Clear(page.Number);
                }

                _stage++;
                _last = default;
            }

            return false;
        }
    }

    /// <summary>No page is given out any more: a worker has failed.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _stage = EndStage;
        }
    }

    /// <summary>The random word in the <c>_rxid</c> of an object; null when the catalog shows no such object.</summary>
    public uint? RandomOf(long id)
    {
        lock (_lock)
        {
            try
            {
                return catalog.ById(id)?.Numbers.Random;
            }
            catch (CatalogDamagedException)
            {
                return null; // said by whoever takes the pages
            }
        }
    }

    /// <summary>
    /// Whether the catalog still says so. A batch whose bytes did not become durable is taken out of it, and its files are erased, while its rows
    /// may already be in a page.
    /// </summary>
    public bool Holds(in VerifiedRow row)
    {
        lock (_lock)
        {
            try
            {
                var (index, place) = (row.FirstIndex, row.Place);
                return row.IsLate
                    ? catalog.LateAttachments(row.ObjectId).Exists(late => late.FirstIndex == index && late.Place == place)
                    : catalog.ById(row.ObjectId)?.Numbers.Place == place;
            }
            catch (CatalogDamagedException)
            {
                return true;
            }
        }
    }

    /// <summary>Takes what a worker has counted since it last said so.</summary>
    public void Add(ref VerificationCount count)
    {
        lock (_lock)
        {
            _count.Add(count);
            count = default;
            Report();
        }
    }

    public void Add(VerificationPage page, Damage damage)
    {
        lock (_lock)
        {
            if (!_damaged.TryGetValue(page.Number, out var list))
            {
                _damaged.Add(page.Number, list = []);
            }

            list.Add(damage);
        }
    }

    public VerificationReport Finish()
    {
        lock (_lock)
        {
            Report();
            List<Damage> all = [.. _ofCatalog, .. _damaged.Values.SelectMany(list => list).OrderBy(damage => damage.ObjectId)]; // stable: its attachments come after it
            if (_failure is not null)
            {
                all.Add(new(0, string.Empty, -1, "catalog.db", _failure.Message + ". Salvage can rebuild the catalog."));
            }

            return new(_count.Objects, _count.Payloads, _count.Omitted, _count.Bytes, all);
        }
    }

    private bool TakeObjects(VerificationPage page)
    {
        if (!catalog.ReadPage(_last.Id, _objectRows))
        {
            return false;
        }

        foreach (var row in _objectRows)
        {
            page.Add(new(
                row.Numbers.Id, row.Numbers.Random, IsLate: false, 0, row.Numbers.Place, row.Numbers.ReceivedAt, row.Numbers.CommittedAt, (ObjectFormat)row.Numbers.Format,
                row.Client, row.Table, row.Signature, row.Charge.WireBytes, catalog.AccountKey(row.Charge.AccountId), row.Degradation, row.DegradedReason));
        }

        _last = (_objectRows[^1].Numbers.Id, 0);
        return true;
    }

    private bool TakeLate(VerificationPage page)
    {
        if (!catalog.ReadPage(_last.Id, _last.Index, _lateRows))
        {
            return false;
        }

        foreach (var row in _lateRows)
        {
            page.Add(new(
                row.ObjectId, 0, IsLate: true, row.FirstIndex, row.Place, 0, row.CommittedAt, default,
                [], row.Table, [], row.Charge.WireBytes, catalog.AccountKey(row.Charge.AccountId), row.Degradation, row.DegradedReason));
        }

        _last = (_lateRows[^1].ObjectId, _lateRows[^1].FirstIndex);
        return true;
    }

    private void Report() => progress?.Report(new("verifying", _count.Objects, _total, _count.Bytes));
}

/// <summary>Some rows of the catalog, and where their records lie.</summary>
internal sealed class VerificationPage
{
    private readonly List<VerifiedRow> _rows = [];
    private readonly List<RecordPlace> _places = [];

    public int Number { get; private set; }

    public IReadOnlyList<VerifiedRow> Rows => _rows;

    public IReadOnlyList<RecordPlace> Places => _places;

    public void Clear(int number)
    {
        Number = number;
        _rows.Clear();
        _places.Clear();
    }

    public void Add(in VerifiedRow row)
    {
        _rows.Add(row);
        _places.Add(row.Place);
    }
}

/// <summary>What the catalog says about an object or a late attachment, as far as its record must say the same.</summary>
internal readonly record struct VerifiedRow(
    long ObjectId, uint Random, bool IsLate, int FirstIndex, RecordPlace Place, long ReceivedAt, long CommittedAt, ObjectFormat Format,
    byte[] Client, byte[] Table, byte[] Signature, long WireBytes, string? Account, Degradation Degradation, string DegradedReason);

/// <summary>What was read.</summary>
internal struct VerificationCount
{
    public long Objects;
    public long Payloads;
    public long Omitted;
    public long Bytes;

    public void Add(in VerificationCount other)
    {
        Objects += other.Objects;
        Payloads += other.Payloads;
        Omitted += other.Omitted;
        Bytes += other.Bytes;
    }
}
