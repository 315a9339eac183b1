using System.Globalization;
using System.Text;
using FastListener.Storage.Catalog;
using FastListener.Storage.Devices;
using FastListener.Storage.Packs;

namespace FastListener.Storage;

/// <summary>Rebuilds a lost or damaged catalog from the packs, which describe themselves.</summary>
public static class Salvage
{
    /// <summary>
    /// Writes a new catalog and sets the old one aside. Takes the directory's lock: throws <see cref="StoreBusyException"/> while a server runs.
    /// Throws <see cref="StoreUnusableException"/> when the directory has no packs at all. What root makes belongs to the owner of the directory.
    /// </summary>
    public static SalvageReport Run(string dataDirectory, IProgress<UpkeepProgress>? progress = null, CancellationToken cancel = default)
    {
        var layout = new StoreLayout(dataDirectory);
        if (!Directory.Exists(layout.Packs))
        {
            throw new StoreUnusableException($"There is no store in {layout.Data}.");
        }

        using var held = LockFile.TryTake(layout.Lock) ?? throw new StoreBusyException(layout.Data);
        var owner = FileOwner.ToGiveTo(layout.Data);
        owner?.Give(layout.Lock); // it may have been made just now
        return new SalvageRun(layout, new LinuxDevice(owner), progress, cancel).Run();
    }
}

/// <summary>One salvage. The new catalog takes its place only when it is complete and durable.</summary>
internal sealed class SalvageRun(StoreLayout layout, StorageDevice device, IProgress<UpkeepProgress>? progress, CancellationToken cancel)
{
    private const int RecordsPerTransaction = 2_000;
    private const int CounterSafety = 4_096; // ids handed out but not found in any pack are not handed out again
    private readonly List<string> _skipped = [];
    private readonly List<string> _notes = [];
    private readonly HashSet<uint> _instances = [];
    private readonly List<ScannedPack> _scanned = [];
    private OldCatalog _old = OldCatalog.None;
    private long _objects;
    private long _late;
    private long _highestId;
    private long _bytes;
    private int _inTransaction;

    /// <summary>The first object id that may be handed out.</summary>
    private long NextObject => Math.Max(_old.NextObject, _highestId + 1 + CounterSafety);

    public SalvageReport Run()
    {
        _old = OldCatalog.Read(layout, _notes);
        var path = layout.Catalog + ".new";
        foreach (var leftover in (ReadOnlySpan<string>)[path, path + "-wal", path + "-shm"])
        {
            device.Delete(leftover);
        }

        var packs = PacksIn(layout.Packs);
        long unconfirmed = 0;
        device.Create(path, direct: false).Dispose();
        using (var catalog = CatalogWriter.Open(path, create: false))
        {
            catalog.Begin();
            for (var i = 0; i < packs.Count; i++)
            {
                Scan(catalog, packs[i]);
                progress?.Report(new("reading packs", i + 1, packs.Count, _bytes));
            }

            // Last, so that none of them takes the place of a record whose commit is proved.
            foreach (var pack in _scanned)
            {
                unconfirmed += AddUnproved(catalog, pack);
            }

            foreach (var pack in _scanned)
            {
                unconfirmed += AddDoubtful(catalog, pack);
                catalog.SetPack(pack.Id, pack.Instance, pack.CommittedEnd, pack.CommittedEnd);
                catalog.ClosePack(pack.Id);
            }

            Finish(catalog, packs);
            catalog.Commit();
            catalog.Connection.EmptyLog();
        }

        var aside = OldCatalog.SetAside(layout, device);
        device.Rename(path, layout.Catalog);
        device.SyncDirectory(layout.Data);
        return new(packs.Count, _objects, _late, unconfirmed, _skipped, _notes, aside);
    }

    private static List<long> PacksIn(string directory)
    {
        var packs = new List<long>();
        foreach (var path in Directory.Exists(directory) ? Directory.EnumerateFiles(directory) : [])
        {
            if (PackLayout.TryParseFileName(Path.GetFileName(path), out var pack))
            {
                packs.Add(pack);
            }
        }

        packs.Sort();
        return packs;
    }

    private void Scan(CatalogWriter catalog, long pack)
    {
        var name = "packs/" + PackLayout.FileName(pack);
        PackScanner scanner;
        try
        {
            scanner = new(layout, pack, _old.KnownEnd(pack), _skipped);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _skipped.Add($"{name}: {exception.Message}");
            _scanned.Add(new(pack)); // a pack without a row would be taken for one that never saw a commit
            return;
        }

        using var open = scanner;
        List<StoredRecord> unproved = [];
        foreach (var (records, isProved) in scanner.Batches())
        {
            cancel.ThrowIfCancellationRequested();
            if (!isProved)
            {
                unproved.AddRange(records);
                continue;
            }

            foreach (var record in records)
            {
                Add(catalog, record, flags: 0);
            }
        }

        if (!scanner.HasHeader)
        {
            _notes.Add($"{name}: the file header is damaged; its batches were read all the same.");
        }

        _bytes += scanner.End;
        _highestId = Math.Max(_highestId, scanner.HighestId);
        _instances.Add(scanner.Instance);
        _scanned.Add(new(pack)
        {
            Instance = scanner.Instance,
            CommittedEnd = scanner.ProvedEnd,
            End = scanner.End,
            Length = scanner.Length,
            Unproved = unproved,
            Doubtful = scanner.Doubtful,
        });
    }

    /// <summary>Adds what a pack holds beyond its last proved commit. The pack's end takes that in only when some of it was added.</summary>
    private long AddUnproved(CatalogWriter catalog, ScannedPack pack)
    {
        long added = 0;
        foreach (var record in pack.Unproved)
        {
            added += Add(catalog, record, ObjectRow.Unconfirmed) ? 1 : 0;
        }

        pack.CommittedEnd = added > 0 ? pack.End : pack.CommittedEnd;
        return added;
    }

    /// <summary>
    /// Adds what only a search found in a pack. Somebody may have sent it as it is, in a payload: so it takes the place of nothing else, changes no object
    /// that is there, and has an id that was handed out.
    /// </summary>
    private long AddDoubtful(CatalogWriter catalog, ScannedPack pack)
    {
        long added = 0;
        foreach (var record in pack.Doubtful)
        {
            if (record.IsLate || record.ObjectId >= NextObject)
            {
                Skip(record, "what was found here by search may be part of a payload; it was left out.");
            }
            else if (Add(catalog, record, ObjectRow.Unconfirmed))
            {
                added++;
                pack.CommittedEnd = Math.Max(pack.CommittedEnd, Math.Min(pack.Length, PackLayout.Align(record.Place.Offset + record.Place.Length)));
            }
        }

        return added;
    }

    private bool Add(CatalogWriter catalog, StoredRecord record, int flags)
    {
        var payloads = record.Payloads;
        var kept = payloads.Sum(p => p.IsOmitted ? 0 : p.Size);
        var charge = new Charge(record.Account is { } key ? catalog.AccountId(Encoding.UTF8.GetBytes(key)) : 0, record.WireBytes, kept);
        var degraded = Encoding.UTF8.GetBytes(record.DegradedReason);
        flags |= ObjectRow.FlagOf(record.Degradation);
        if (record.IsLate)
        {
            if (catalog.HasAttachment(record.ObjectId, record.FirstIndex))
            {
                return Skip(record, "an attachment of that object with that index was found before.");
            }

            catalog.AddAttachment(record.ObjectId, record.FirstIndex, payloads.Count, flags, record.CommittedAt, record.Place, charge, record.Table, degraded);
            _late++;
        }
        else
        {
            if (catalog.PayloadsOf(record.ObjectId) >= 0)
            {
                return Skip(record, "an object of that id was found before.");
            }

            var row = new ObjectRow(
                record.ObjectId, record.Random, catalog.ProjectId(record.Universe, record.Project), (byte)record.Format, flags, record.ReceivedAt,
                record.CommittedAt, record.Place, payloads.Count, payloads.Sum(p => p.Size));
            catalog.AddObject(row, charge, record.Client, record.Table, record.Signature, degraded);
            _objects++;
        }

        foreach (var payload in payloads)
        {
            if (payload.File is { } file)
            {
                catalog.AddFile(file, record.ObjectId, payload.Size);
            }
        }

        if (++_inTransaction >= RecordsPerTransaction)
        {
            catalog.Commit();
            catalog.Begin();
            _inTransaction = 0;
        }

        return true;
    }

    private bool Skip(StoredRecord record, string reason)
    {
        _skipped.Add(string.Create(CultureInfo.InvariantCulture, $"packs/{PackLayout.FileName(record.Place.Pack)}+{record.Place.Offset}: {reason}"));
        return false;
    }

    private void Finish(CatalogWriter catalog, List<long> packs)
    {
        var nextPack = Math.Max(_old.NextPack, packs.Concat(PacksIn(layout.Orphans)).DefaultIfEmpty(0).Max() + 1);
        catalog.Connection.Execute($"UPDATE counters SET next={NextObject} WHERE name='object'; UPDATE counters SET next={nextPack} WHERE name='pack'");

        // What became of requests that were not stored is not in any pack, so the ledger begins anew behind what was found.
        catalog.Connection.Execute("UPDATE packs SET unbooked_end=committed_end");

        // The next start looks through the files of every instance there ever was.
        foreach (var path in Directory.Exists(layout.Files) ? Directory.EnumerateFiles(layout.Files, "*", SearchOption.AllDirectories) : [])
        {
            if (StoreLayout.TryParseFileName(Path.GetFileName(path), out var instance))
            {
                _instances.Add(instance);
            }
        }

        foreach (var instance in _instances)
        {
            catalog.Connection.Execute($"INSERT INTO instances(id, started_at) VALUES({instance}, 0)");
        }
    }

    /// <summary>A pack that was read to its end; one that could not be opened holds nothing.</summary>
    private sealed class ScannedPack(long id)
    {
        public long Id => id;

        public uint Instance { get; init; }

        /// <summary>Where the last record ends that was added.</summary>
        public long CommittedEnd { get; set; } = PackLayout.FileHeaderSize;

        public long End { get; init; }

        public long Length { get; init; }

        public IReadOnlyList<StoredRecord> Unproved { get; init; } = [];

        public IReadOnlyList<StoredRecord> Doubtful { get; init; } = [];
    }
}
