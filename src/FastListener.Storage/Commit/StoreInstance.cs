using System.Security.Cryptography;
using FastListener.Storage.Catalog;
using FastListener.Storage.Devices;
using Microsoft.Extensions.Logging;

namespace FastListener.Storage.Commit;

/// <summary>
/// This process in the data directory: the directory's lock, an instance id of its own with a locked staging directory, and the catalog, recovered.
/// </summary>
internal sealed class StoreInstance : IDisposable
{
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
        var directoryLock = LockFile.TryTake(layout.Lock) ?? throw new StoreBusyException(layout.Data);
        CatalogWriter? catalog = null;
        StoreInstance? instance = null;
        try
        {
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
                _device.Delete(Layout.InstanceLock(Id));
                _device.DeleteDirectory(staging);
            }
            catch (StorageFaultException)
            {
                // Recovery finds an empty staging directory and removes it.
            }
        }

        Dispose();
    }

    public void Dispose()
    {
        _stagingLock?.Dispose();
        _directoryLock.Dispose();
        Catalog.Dispose();
    }

    private static void CreateDirectories(StoreLayout layout, StorageDevice device)
    {
        if (!Directory.Exists(layout.Data))
        {
            var parent = Path.GetDirectoryName(layout.Data);
            if (parent is not null && !Directory.Exists(parent))
            {
                Directory.CreateDirectory(parent);
            }

            device.CreateDirectory(layout.Data);
            if (parent is not null)
            {
                device.SyncDirectory(parent);
            }
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

    private static CatalogWriter OpenCatalog(StoreLayout layout, StorageDevice device)
    {
        var exists = File.Exists(layout.Catalog);
        if (!exists && Directory.EnumerateFileSystemEntries(layout.Packs).Any())
        {
            throw new StoreUnusableException($"{layout.Data} has packs but no catalog. Salvage can rebuild it.");
        }

        var catalog = CatalogWriter.Open(layout.Catalog, create: !exists);
        device.SyncDirectory(layout.Data);
        return catalog;
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
