using System.Security.Cryptography;
using FastListener.Storage.Catalog;
using FastListener.Storage.Devices;
using Microsoft.Extensions.Logging;

namespace FastListener.Storage.Commit;

/// <summary>
/// This process in the data directory: its share of the directory's lock, an instance id of its own with a locked staging directory, and the catalog,
/// recovered. Others may be there, too; starts and ends are one at a time.
/// </summary>
internal sealed class StoreInstance : IDisposable
{
    private static readonly TimeSpan StartWait = TimeSpan.FromSeconds(60); // another's recovery
    private static readonly TimeSpan EndWait = TimeSpan.FromSeconds(1);

    private readonly StorageDevice _device;
    private readonly LockFile _directoryLock;
    private LockFile? _stagingLock;

    private StoreInstance(StoreLayout layout, StorageDevice device, LockFile directoryLock, DiskReserve reserve, CatalogWriter catalog)
    {
        Layout = layout;
        _device = device;
        _directoryLock = directoryLock;
        Reserve = reserve;
        Catalog = catalog;
    }

    public StoreLayout Layout { get; }

    /// <summary>Random; names the staging directory, is part of payload file names and stands in pack headers.</summary>
    public uint Id { get; private set; }

    /// <summary>The catalog as opened; whoever takes it over disposes it.</summary>
    public CatalogWriter Catalog { get; }

    /// <summary>Space held back for the catalog.</summary>
    public DiskReserve Reserve { get; }

    public static StoreInstance Open(StoreOptions options, StorageDevice device, long now, ILogger logger)
    {
        var layout = new StoreLayout(options.DataDirectory);
        CreateDirectories(layout, device);
        var directoryLock = LockFile.TryTake(layout.Lock, shared: true) ?? throw new StoreBusyException(layout.Data);
        CatalogWriter? catalog = null;
        StoreInstance? instance = null;
        try
        {
            using var start = LockFile.Take(layout.StartLock, StartWait) ?? throw new StoreBusyException(layout.Data);
            var reserve = new DiskReserve(layout, device, options, logger);
            reserve.MakeRoomForStart();
            catalog = OpenCatalog(layout, device);
            instance = new(layout, device, directoryLock, reserve, catalog);
            new Recovery(layout, device, catalog, logger).Run(now);
            instance.Begin(now);
            return instance;
        }
        catch (Exception exception)
        {
            instance?._stagingLock?.Dispose();
            catalog?.Dispose();
            directoryLock.Dispose();
            if (exception is CatalogDamagedException)
            {
                throw new StoreUnusableException($"{exception.Message}. Salvage can rebuild the catalog.", exception);
            }

            throw;
        }
    }

    /// <summary>After the store has closed. An end that was not clean leaves the traces recovery looks for.</summary>
    public void End(bool clean)
    {
        var staging = Layout.InstanceStaging(Id);
        if (clean && !Directory.EnumerateFiles(staging).Any(file => Path.GetFileName(file) != "lock"))
        {
            try
            {
                using var end = LockFile.Take(Layout.StartLock, EndWait);
                if (end is not null)
                {
                    _device.Delete(Layout.InstanceLock(Id));
                    _device.DeleteDirectory(staging);
                }
            }
            catch (StorageFaultException)
            {
                // As when another start kept us waiting: recovery finds an empty staging directory and removes it.
            }
        }

        Dispose();
    }

    public void Dispose()
    {
        LetGo();
        Catalog.Dispose();
    }

    /// <summary>Gives the locks back, as the kernel does for a process that is killed.</summary>
    internal void LetGo()
    {
        _stagingLock?.Dispose();
        _directoryLock.Dispose();
    }

    private static void CreateDirectories(StoreLayout layout, StorageDevice device)
    {
        if (!Directory.Exists(layout.Data))
        {
            if (Path.GetDirectoryName(layout.Data) is { } parent)
            {
                Directory.CreateDirectory(parent);
            }

            device.CreateDirectory(layout.Data);
        }

        if (!File.Exists(layout.Catalog))
        {
            SyncAncestors(layout.Data, device);
        }

        foreach (var path in (ReadOnlySpan<string>)[layout.Packs, layout.Files, layout.Staging, layout.Orphans])
        {
            if (!Directory.Exists(path))
            {
                device.CreateDirectory(path);
            }
        }

        device.SyncDirectory(layout.Data); // also when they exist: whoever made them may have died before their names were durable
    }

    /// <summary>
    /// The first start makes the way to the directory durable, whoever made it: some of it may have been made a moment ago, by the program, or by a start
    /// that died before it got here.
    /// </summary>
    private static void SyncAncestors(string path, StorageDevice device)
    {
        while (Path.GetDirectoryName(path) is { } parent)
        {
            try
            {
                device.SyncDirectory(parent);
            }
            catch (StorageFaultException fault) when (fault.Kind is StorageFaultKind.ReadOnly)
            {
                // A directory that we may not read, or that nobody can change: its names are not of our making.
            }

            path = parent;
        }
    }

    private static CatalogWriter OpenCatalog(StoreLayout layout, StorageDevice device)
    {
        var exists = File.Exists(layout.Catalog);
        if (!exists && Directory.EnumerateFileSystemEntries(layout.Packs).Any())
        {
            throw new StoreUnusableException($"{layout.Data} has packs but no catalog. Salvage can rebuild it.");
        }

        if (exists && OthersLive(layout))
        {
            // A format that they do not know would be pulled away under them.
            using var reading = CatalogConnection.OpenForReading(layout.Catalog);
            if (CatalogSchema.Check(reading) < CatalogSchema.Version)
            {
                throw new StoreBusyException(layout.Data);
            }
        }

        MakePrivate([layout.Catalog, layout.CatalogLog, layout.CatalogSharedMemory]);
        var leftLog = new FileInfo(layout.CatalogLog) is { Exists: true, Length: > 0 };
        var catalog = CatalogWriter.Open(layout.Catalog, create: !exists);
        try
        {
            if (leftLog)
            {
                catalog.RewriteLog(device); // whoever left it may have died of a sync that failed
            }

            device.SyncDirectory(layout.Data);
            return catalog;
        }
        catch
        {
            catalog.Dispose();
            throw;
        }
    }

    /// <summary>Earlier versions left it to the umask who may read the catalog. Where the mode cannot be changed it stays: that refuses no start.</summary>
    private static void MakePrivate(ReadOnlySpan<string> paths)
    {
        foreach (var path in paths)
        {
            if (FileStatus.Of(path, followLink: true) is { } status && (status.Mode & Libc.AnybodyElse) != 0)
            {
                _ = Libc.ChangeMode(path, Libc.PrivateFile);
            }
        }
    }

    private static bool OthersLive(StoreLayout layout)
    {
        foreach (var staging in Directory.EnumerateDirectories(layout.Staging))
        {
            using var free = LockFile.TryTake(Path.Combine(staging, "lock"));
            if (free is null)
            {
                return true;
            }
        }

        return false;
    }

    private void Begin(long now)
    {
        do
        {
            Id = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));
        }
        while (Id == 0 || !_device.CreateDirectory(Layout.InstanceStaging(Id)));

        _stagingLock = LockFile.TryTake(Layout.InstanceLock(Id)) ?? throw new StoreBusyException(Layout.Data);
        using var statement = Catalog.Connection.Prepare("INSERT INTO instances(id, started_at) VALUES(?,?)");
        statement.Bind(1, Id).Bind(2, now).Run();
    }
}
