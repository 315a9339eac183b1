using FastListener.Storage.Catalog;
using FastListener.Storage.Devices;
using FastListener.Storage.Packs;
using FastListener.Storage.Payloads;

namespace FastListener.Storage;

/// <summary>Copies a store, also a running server's, as it was at one moment.</summary>
public static class Backup
{
    /// <summary>
    /// Copies the catalog, the packs up to their committed ends and the large payloads' files to <paramref name="targetDirectory"/>, which must be
    /// missing or empty, and syncs them. Token files, settings and certificates are not the store's: the caller copies them. What root copies into a directory
    /// that is there belongs to the owner of that directory.
    /// </summary>
    public static BackupReport Run(
        string dataDirectory, string targetDirectory, IProgress<UpkeepProgress>? progress = null, CancellationToken cancel = default)
    {
        var source = new StoreLayout(dataDirectory);
        var target = new StoreLayout(targetDirectory);
        source.RequireCatalog();
        if (Directory.Exists(target.Data) && Directory.EnumerateFileSystemEntries(target.Data).Any())
        {
            throw new IOException($"The backup's target {target.Data} is not empty.");
        }

        try
        {
            return new BackupRun(source, target, new LinuxDevice(FileOwner.ToGiveTo(target.Data)), progress, cancel).Run();
        }
        catch (CatalogDamagedException damage)
        {
            throw new StoreUnusableException(damage.Message, damage);
        }
    }
}

/// <summary>
/// One backup. The catalog's snapshot is taken first; it says what belongs to the copy. Packs never change below their committed ends and payload
/// files never change at all, so both can be copied while the server goes on. The catalog gets its name last: a copy that broke off has none.
/// </summary>
internal sealed class BackupRun(StoreLayout source, StoreLayout target, StorageDevice device, IProgress<UpkeepProgress>? progress, CancellationToken cancel)
{
    private const int CopyBytes = 1024 * 1024;
    private long _copied;

    public BackupReport Run()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(target.Data)!);
        foreach (var directory in (ReadOnlySpan<string>)[target.Data, target.Packs, target.Files, target.Staging, target.Orphans])
        {
            device.CreateDirectory(directory);
        }

        var snapshot = target.Catalog + ".new";
        progress?.Report(new("copying the catalog", 0, 0, 0));
        CopyCatalog(snapshot);
        var (packs, files, objects) = ReadSnapshot(snapshot);
        CopyPacks(packs);
        CopyFiles(files);

        device.Rename(snapshot, target.Catalog);
        device.SyncDirectory(target.Data);
        device.SyncDirectory(Path.GetDirectoryName(target.Data)!);
        return new(objects, packs.Count, files.Count, _copied);
    }

    private void CopyCatalog(string snapshot)
    {
        device.Create(snapshot, direct: false).Dispose(); // SQLite fills an empty file, and leaves its mode and owner alone
        using (var access = CatalogAccess.Open(source))
        {
            var from = access.Connection;
            // One statement, one read transaction; it writes to the copy only. The copy is compact.
            from.Execute("PRAGMA query_only=OFF");
            using var copy = from.Prepare("VACUUM INTO ?");
            copy.BindText(1, snapshot).Run();
        }

        using (var catalog = CatalogWriter.Open(snapshot, create: false))
        {
            // The copy belongs to nobody yet: its packs are complete, its next server begins with an instance of its own.
            catalog.Connection.Execute("UPDATE packs SET is_open=0; DELETE FROM instances");
            catalog.Connection.Checkpoint(CatalogConnection.CheckpointTruncate);
        }

        _copied += new FileInfo(snapshot).Length;
    }

    private static (List<(long Pack, long End)> Packs, List<(string Name, long Size)> Files, long Objects) ReadSnapshot(string snapshot)
    {
        using var connection = CatalogConnection.OpenForReading(snapshot);
        var packs = new List<(long, long)>();
        using (var statement = connection.Prepare("SELECT id, committed_end FROM packs ORDER BY id"))
        {
            while (statement.Step())
            {
                packs.Add((statement.Int64(0), statement.Int64(1)));
            }
        }

        var files = new List<(string, long)>();
        using (var statement = connection.Prepare("SELECT name, size FROM files"))
        {
            while (statement.Step())
            {
                files.Add((statement.Text(0), statement.Int64(1)));
            }
        }

        return (packs, files, connection.Scalar("SELECT count(*) FROM objects"));
    }

    private void CopyPacks(List<(long Pack, long End)> packs)
    {
        for (var i = 0; i < packs.Count; i++)
        {
            var (pack, end) = packs[i];
            using var to = device.Create(target.Pack(pack), direct: false);
            CopyBytesOf(source.Pack(pack), to, end, "copying packs", i, packs.Count);
            PackWriter.Finish(to, pack, end, UnixMicroseconds.From(DateTimeOffset.UtcNow));
        }

        device.SyncDirectory(target.Packs);
    }

    private void CopyFiles(List<(string Name, long Size)> files)
    {
        var directories = new HashSet<string>();
        for (var i = 0; i < files.Count; i++)
        {
            var (name, size) = files[i];
            var directory = Path.GetDirectoryName(target.File(name))!;
            if (directories.Add(directory))
            {
                device.CreateDirectory(directory);
            }

            using var to = device.Create(target.File(name), direct: false);
            CopyBytesOf(source.File(name), to, size, "copying files", i, files.Count);
            to.SyncData();
        }

        foreach (var directory in directories)
        {
            device.SyncDirectory(directory);
        }

        device.SyncDirectory(target.Files);
    }

    private void CopyBytesOf(string path, StorageFile to, long length, string stage, int done, int total)
    {
        using var from = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete, options: FileOptions.SequentialScan);
        using var buffer = new AlignedBuffer(CopyBytes);
        for (long offset = 0; offset < length;)
        {
            cancel.ThrowIfCancellationRequested();
            var bytes = buffer.Span[..(int)Math.Min(buffer.Size, length - offset)];
            if (PackReader.ReadFully(from, bytes, offset) < bytes.Length)
            {
                throw new InvalidDataException($"{path} is shorter than the catalog says; verify the store before backing it up.");
            }

            to.Write(bytes, offset);
            offset += bytes.Length;
            _copied += bytes.Length;
            progress?.Report(new(stage, done, total, _copied));
        }

        progress?.Report(new(stage, done + 1, total, _copied));
    }
}
