using System.Globalization;
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
    /// missing or empty, and syncs them. What is not there or cannot be read is missing in the copy, and reported. Token files, settings and certificates are
    /// not the store's: the caller copies them. What root copies into a directory that is there belongs to the owner of that directory.
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
    private const int CopyBlock = 1024 * 1024;
    private readonly List<string> _missing = [];
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
        var copiedPacks = CopyPacks(packs);
        var copiedFiles = CopyFiles(files);

        device.Rename(snapshot, target.Catalog);
        device.SyncDirectory(target.Data);
        device.SyncDirectory(Path.GetDirectoryName(target.Data)!);
        return new(objects, copiedPacks, copiedFiles, _copied, _missing);
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
            catalog.Connection.EmptyLog();
        }

        _copied += new FileInfo(snapshot).Length;
    }

    private static (List<(long Pack, long End)> Packs, List<(string Name, long Size, long ObjectId)> Files, long Objects) ReadSnapshot(string snapshot)
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

        var files = new List<(string, long, long)>();
        using (var statement = connection.Prepare("SELECT name, size, object_id FROM files"))
        {
            while (statement.Step())
            {
                files.Add((statement.Text(0), statement.Int64(1), statement.Int64(2)));
            }
        }

        return (packs, files, connection.Scalar("SELECT count(*) FROM objects"));
    }

    private int CopyPacks(List<(long Pack, long End)> packs)
    {
        var copied = 0;
        for (var i = 0; i < packs.Count; i++)
        {
            var (pack, end) = packs[i];
            using var to = Copy(source.Pack(pack), target.Pack(pack), end, $"packs/{PackLayout.FileName(pack)}", new("copying packs", i, packs.Count, 0));
            if (to is not null)
            {
                PackWriter.Finish(to, pack, end, UnixMicroseconds.From(DateTimeOffset.UtcNow));
                copied++;
            }
        }

        device.SyncDirectory(target.Packs);
        return copied;
    }

    private int CopyFiles(List<(string Name, long Size, long ObjectId)> files)
    {
        var copied = 0;
        var directories = new HashSet<string>();
        for (var i = 0; i < files.Count; i++)
        {
            var (name, size, objectId) = files[i];
            var directory = Path.GetDirectoryName(target.File(name))!;
            if (directories.Add(directory))
            {
                device.CreateDirectory(directory);
            }

            var what = string.Create(CultureInfo.InvariantCulture, $"{PayloadTable.FileLocation(name)} of object {objectId:x}");
            using var to = Copy(source.File(name), target.File(name), size, what, new("copying files", i, files.Count, 0));
            if (to is not null)
            {
                to.SyncData();
                copied++;
            }
        }

        foreach (var directory in directories)
        {
            device.SyncDirectory(directory);
        }

        device.SyncDirectory(target.Files);
        return copied;
    }

    /// <summary>
    /// Copies as much of a file as there is, and tells what is missing: nothing ever deletes an object, so a store with one damaged place could not be
    /// backed up any more. What cannot be read is a hole in the copy. Gives back the copy; null when the file cannot be opened.
    /// </summary>
    private StorageFile? Copy(string path, string copy, long length, string what, UpkeepProgress stage)
    {
        string? failure = null;
        LenientFile from;
        try
        {
            from = new(path, (_, message) => failure ??= message);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _missing.Add($"{what}: {exception.Message}");
            return null;
        }

        using var opened = from;
        var to = device.Create(copy, direct: false);
        try
        {
            var there = CopyBytes(from, to, length, stage);
            if (there < length)
            {
                _missing.Add(string.Create(CultureInfo.InvariantCulture, $"{what}: only {there} of {length} bytes could be copied. {failure}").TrimEnd());
            }

            progress?.Report(stage with { Done = stage.Done + 1, Bytes = _copied });
            return to;
        }
        catch
        {
            to.Dispose();
            throw;
        }
    }

    private long CopyBytes(LenientFile from, StorageFile to, long length, UpkeepProgress stage)
    {
        using var buffer = new AlignedBuffer(CopyBlock);
        long there = 0;
        for (long offset = 0; offset < length;)
        {
            cancel.ThrowIfCancellationRequested();
            var wanted = (int)Math.Min(buffer.Size, length - offset);
            var read = from.Read(buffer.Span[..wanted], offset);
            var hasFailed = from.HasFailed;
            if (read > 0)
            {
                to.Write(buffer.Span[..read], offset);
            }

            there += read;
            _copied += read;
            progress?.Report(stage with { Bytes = _copied });
            if (read < wanted && !hasFailed)
            {
                break; // it ends here
            }

            offset = hasFailed ? from.AfterFailure(offset + read, length) : offset + read;
        }

        return there;
    }
}
