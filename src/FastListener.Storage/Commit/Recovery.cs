using System.Globalization;
using FastListener.Storage.Catalog;
using FastListener.Storage.Devices;
using FastListener.Storage.Packs;
using Microsoft.Extensions.Logging;

namespace FastListener.Storage.Commit;

/// <summary>
/// Cleans up after instances that ended without saying goodbye, and after nobody else: an instance that lives holds the lock in its staging
/// directory. Costs nothing after a clean end; reads no more of a pack than a last batch that was committed within two seconds of the end.
/// </summary>
internal sealed class Recovery(StoreLayout layout, StorageDevice device, CatalogWriter catalog, ILogger logger)
{
    private readonly CatalogConnection _connection = catalog.Connection;
    private readonly Orphans _orphans = new(layout, device, logger);
    private readonly HashSet<uint> _live = [];

    /// <summary>Throws <see cref="StoreUnusableException"/>, and has changed nothing, when the catalog has lost commits.</summary>
    public void Run(long now)
    {
        var dead = FindDead();
        try
        {
            var open = OpenPacks(dead);
            var unknown = FindUnknownPacks();
            ThrowIfCommitsAreLost(open, unknown);
            if (dead.Count == 0)
            {
                return;
            }

            StoreLog.Recovering(logger, dead.Count);
            CutPacks(open, now);
            SetAside(unknown, dead);
            SetAsideUnknownFiles(dead);
            SweepStaging(dead);
            Forget(dead);
        }
        finally
        {
            foreach (var instance in dead.Values)
            {
                instance?.Dispose();
            }
        }
    }

    /// <summary>Instances known to the catalog or by their staging directory whose lock is free. We hold their locks from here on.</summary>
    private Dictionary<uint, LockFile?> FindDead()
    {
        var known = new HashSet<uint>();
        using (var statement = _connection.Prepare("SELECT id FROM instances"))
        {
            while (statement.Step())
            {
                known.Add((uint)statement.Int64(0));
            }
        }

        foreach (var path in Directory.EnumerateDirectories(layout.Staging))
        {
            if (uint.TryParse(Path.GetFileName(path), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var instance))
            {
                known.Add(instance);
            }
        }

        var dead = new Dictionary<uint, LockFile?>();
        foreach (var instance in known)
        {
            if (!Directory.Exists(layout.InstanceStaging(instance)))
            {
                dead.Add(instance, null);
            }
            else if (LockFile.TryTake(layout.InstanceLock(instance)) is { } taken)
            {
                dead.Add(instance, taken);
            }
            else
            {
                _live.Add(instance);
            }
        }

        return dead;
    }

    /// <summary>
    /// A pack may hold one batch that the catalog does not know; of two the first was committed and may have been acknowledged. Then the catalog is not
    /// the one that belongs to the packs (its log was removed, or an older copy was put back), and cutting packs by it would destroy what it lost.
    /// </summary>
    private void ThrowIfCommitsAreLost(List<(long Pack, long End, long Start)> open, List<UnknownPack> unknown)
    {
        foreach (var (pack, end) in open.Select(item => (item.Pack, item.End)).Concat(unknown.Select(item => (item.Id, (long)PackLayout.FileHeaderSize))))
        {
            if (!File.Exists(layout.Pack(pack)))
            {
                continue;
            }

            if (Ask(pack, scanner => scanner.HoldsCommitAt(end)) is true)
            {
                throw new StoreUnusableException(
                    $"The catalog in {layout.Data} has lost commits that {PackLayout.FileName(pack)} holds: was catalog.db-wal removed, or an older catalog.db put back? Nothing was changed. Salvage can rebuild the catalog.");
            }
        }
    }

    /// <summary>
    /// What a pack holds beyond its committed end does not exist. A batch that the catalog does not know as durable was synced at the same time as the
    /// catalog: when it is not whole, the power went between the two, nothing of it was acknowledged, and the catalog forgets it. Only within two seconds
    /// of its commit may it have been acknowledged, and rotted since: its bytes are kept in orphans/.
    /// </summary>
    private void CutPacks(List<(long Pack, long End, long Start)> open, long now)
    {
        foreach (var (pack, end, start) in open)
        {
            var info = new FileInfo(layout.Pack(pack));
            var isFirst = start <= PackLayout.FileHeaderSize; // then not even the header was durable
            if (!info.Exists || (info.Length < start && !isFirst))
            {
                StoreLog.PackTooShort(logger, pack, info.Exists ? info.Length : 0, end); // leave the evidence as it is
                _connection.Execute($"UPDATE packs SET is_open=0 WHERE id={pack}");
                continue;
            }

            var kept = end;
            var whole = Ask(pack, scanner => scanner.IsWhole(start, end));
            if (whole is null)
            {
                _connection.Execute($"UPDATE packs SET is_open=0 WHERE id={pack}"); // what can be read of it is left to readers
                continue;
            }

            if (whole is false)
            {
                _orphans.Keep(pack, info, start);
                StoreLog.LastBatchUndone(logger, pack, start, end);
                catalog.Undo(pack, start);
                kept = start;
            }

            if (kept == start && isFirst)
            {
                device.Delete(info.FullName);
                continue;
            }

            using (var file = device.OpenExisting(info.FullName))
            {
                PackWriter.Finish(file, pack, kept, now); // its sync makes durable what was only whole
            }

            if (info.Length > kept)
            {
                StoreLog.PackCut(logger, pack, info.Length, kept);
            }

            _connection.Execute($"UPDATE packs SET is_open=0 WHERE id={pack}");
        }
    }

    /// <summary>Asks something of a pack's bytes; null, and said, when the disk does not give them.</summary>
    private bool? Ask(long pack, Func<PackScanner, bool> question)
    {
        try
        {
            using var scanner = new PackScanner(layout, pack, knownEnd: 0, skipped: null);
            return question(scanner);
        }
        catch (IOException fault)
        {
            StoreLog.PackUnreadable(logger, pack, fault);
            return null;
        }
    }

    private List<(long Pack, long End, long Start)> OpenPacks(Dictionary<uint, LockFile?> dead)
    {
        var open = new List<(long, long, long)>();
        using var statement = _connection.Prepare("SELECT id, committed_end, synced_end, instance FROM packs WHERE is_open=1");
        while (statement.Step())
        {
            if (dead.ContainsKey((uint)statement.Int64(3)))
            {
                open.Add((statement.Int64(0), statement.Int64(1), statement.Int64(2)));
            }
        }

        return open;
    }

    /// <summary>Packs the catalog has no row for, but for those of instances that live: they may have just begun them.</summary>
    private List<UnknownPack> FindUnknownPacks()
    {
        var known = new HashSet<long>();
        using (var statement = _connection.Prepare("SELECT id FROM packs"))
        {
            while (statement.Step())
            {
                known.Add(statement.Int64(0));
            }
        }

        var unknown = new List<UnknownPack>();
        foreach (var file in new DirectoryInfo(layout.Packs).EnumerateFiles())
        {
            if (PackLayout.TryParseFileName(file.Name, out var pack) && !known.Contains(pack))
            {
                uint? owner = OwnerOf(file, pack);
                if (owner is { } id ? !_live.Contains(id) : _live.Count == 0)
                {
                    unknown.Add(new(pack, file, owner));
                }
            }
        }

        return unknown;
    }

    /// <summary>Packs that never saw a commit: empty ones go, others are kept for whoever wants to look.</summary>
    private void SetAside(List<UnknownPack> unknown, Dictionary<uint, LockFile?> dead)
    {
        var moved = false;
        foreach (var (_, file, owner) in unknown)
        {
            if (owner is { } instance && !dead.ContainsKey(instance))
            {
                continue;
            }

            if (file.Length <= PackLayout.FileHeaderSize)
            {
                device.Delete(file.FullName);
            }
            else
            {
                _orphans.Take(file);
            }

            moved = true;
        }

        if (moved)
        {
            device.SyncDirectory(layout.Orphans);
            device.SyncDirectory(layout.Packs);
        }
    }

    /// <summary>Payload files that no row names, found by a complete scan before the first one moves.</summary>
    private void SetAsideUnknownFiles(Dictionary<uint, LockFile?> dead)
    {
        var unknown = new List<FileInfo>();
        using (var find = _connection.Prepare("SELECT 1 FROM files WHERE name=?"))
        {
            foreach (var file in new DirectoryInfo(layout.Files).EnumerateFiles("*", SearchOption.AllDirectories))
            {
                if (StoreLayout.TryParseFileName(file.Name, out var instance) && dead.ContainsKey(instance))
                {
                    if (!find.BindText(1, file.Name).Step())
                    {
                        unknown.Add(file);
                    }

                    find.Reset();
                }
            }
        }

        foreach (var file in unknown)
        {
            _orphans.Take(file);
            device.SyncDirectory(layout.Orphans);
            device.SyncDirectory(file.DirectoryName!);
        }
    }

    private void SweepStaging(Dictionary<uint, LockFile?> dead)
    {
        foreach (var instance in dead.Keys)
        {
            var staging = layout.InstanceStaging(instance);
            if (!Directory.Exists(staging))
            {
                continue;
            }

            foreach (var file in Directory.EnumerateFiles(staging))
            {
                device.Delete(file);
            }

            device.DeleteDirectory(staging);
        }

        device.SyncDirectory(layout.Staging);
    }

    private void Forget(Dictionary<uint, LockFile?> dead)
    {
        foreach (var instance in dead.Keys)
        {
            _connection.Execute($"DELETE FROM instances WHERE id={instance}");
        }
    }

    private uint? OwnerOf(FileInfo file, long pack)
    {
        try
        {
            return PackReader.TryReadHeader(file.FullName, out var instance) ? instance : null;
        }
        catch (IOException fault)
        {
            StoreLog.PackUnreadable(logger, pack, fault);
            return null;
        }
    }

    /// <param name="Id">Its id, from its name.</param>
    /// <param name="File">The file.</param>
    /// <param name="Owner">The instance that began it; null when its header cannot be read.</param>
    private sealed record UnknownPack(long Id, FileInfo File, uint? Owner);
}
