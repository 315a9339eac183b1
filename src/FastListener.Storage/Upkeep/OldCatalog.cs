using System.Globalization;
using FastListener.Storage.Catalog;
using FastListener.Storage.Devices;

namespace FastListener.Storage;

/// <summary>What salvage takes over from the catalog that it replaces: where packs were known to end, which ids were handed out.</summary>
internal sealed class OldCatalog
{
    private readonly Dictionary<long, long> _ends = [];

    private OldCatalog()
    {
    }

    /// <summary>Tells nothing.</summary>
    public static OldCatalog None { get; } = new();

    /// <summary>The first object id that it has not handed out; 0 when it does not say.</summary>
    public long NextObject { get; private set; }

    /// <summary>The first pack id that it has not handed out; 0 when it does not say.</summary>
    public long NextPack { get; private set; }

    /// <summary>Reads what there is to read; what keeps it from more is noted.</summary>
    public static OldCatalog Read(StoreLayout layout, List<string> notes)
    {
        if (!File.Exists(layout.Catalog))
        {
            return None;
        }

        var old = new OldCatalog();
        try
        {
            using var connection = CatalogConnection.OpenForReading(layout.Catalog);
            old.ReadEnds(connection);
            old.NextObject = connection.Scalar("SELECT next FROM counters WHERE name='object'");
            old.NextPack = connection.Scalar("SELECT next FROM counters WHERE name='pack'");
        }
        catch (IOException exception)
        {
            notes.Add("catalog.db: " + exception.Message);
        }

        return old;
    }

    /// <summary>
    /// Moves it to orphans/; null when there is none. The database goes before its log: one that lost its log on the way would look as good as ever, and
    /// lack its last commits.
    /// </summary>
    public static string? SetAside(StoreLayout layout, StorageDevice device)
    {
        var aside = Path.Combine(layout.Orphans, string.Create(CultureInfo.InvariantCulture, $"catalog-{DateTime.UtcNow:yyyyMMdd'T'HHmmss.fff}.db"));
        device.CreateDirectory(layout.Orphans);
        var wasThere = File.Exists(layout.Catalog);
        foreach (var suffix in (ReadOnlySpan<string>)["", "-wal", "-shm"])
        {
            if (File.Exists(layout.Catalog + suffix))
            {
                device.Rename(layout.Catalog + suffix, aside + suffix);
                device.SyncDirectory(layout.Orphans);
                device.SyncDirectory(layout.Data);
            }
        }

        return wasThere ? aside : null;
    }

    /// <summary>Where a pack was known to end, durably; 0 when it does not say.</summary>
    public long KnownEnd(long pack) => _ends.GetValueOrDefault(pack);

    private void ReadEnds(CatalogConnection connection)
    {
        var doubted = ReadUnconfirmed(connection);

        // What lies before synced_end is known to be durable; catalogs of older versions synced the pack first.
        var synced = connection.Scalar("SELECT count(*) FROM pragma_table_info('packs') WHERE name='synced_end'") != 0;
        using var ends = connection.Prepare(synced ? "SELECT id, CASE is_open WHEN 1 THEN synced_end ELSE committed_end END FROM packs" : "SELECT id, committed_end FROM packs");
        while (ends.Step())
        {
            _ends[ends.Int64(0)] = Math.Min(ends.Int64(1), doubted.GetValueOrDefault(ends.Int64(0), long.MaxValue));
        }
    }

    /// <summary>By pack, the first record an earlier salvage could not prove: from there on the old catalog proves nothing either.</summary>
    private static Dictionary<long, long> ReadUnconfirmed(CatalogConnection connection)
    {
        var doubted = new Dictionary<long, long>();
        using var rows = connection.Prepare(
            $"SELECT pack, min(offset) FROM (SELECT pack, offset, flags FROM objects UNION ALL SELECT pack, offset, flags FROM attachments) WHERE flags&{ObjectRow.Unconfirmed} GROUP BY pack");
        while (rows.Step())
        {
            var pack = rows.Int64(0); // a damaged one may have several groups that read as one number
            doubted[pack] = Math.Min(rows.Int64(1), doubted.GetValueOrDefault(pack, long.MaxValue));
        }

        return doubted;
    }
}
