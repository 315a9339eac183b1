using FastListener.Storage.Catalog;
using FastListener.Storage.Devices;
using Microsoft.Extensions.Logging;

namespace FastListener.Storage.Commit;

/// <summary>
/// The catalog as the committer has it: open, for as long as it can be trusted, and in a transaction or not. After a fault it is closed, and only opened
/// again once what it says is settled. Used by the committer's thread only.
/// </summary>
internal sealed class CatalogSession : IDisposable
{
    private const int ReaderPatience = 100; // milliseconds: most readers are gone by then, and other writers wait meanwhile

    private readonly StoreLayout _layout;
    private readonly StorageDevice _device;
    private readonly ILogger _logger;

    public CatalogSession(StoreLayout layout, StorageDevice device, CatalogWriter catalog, ILogger logger)
    {
        _layout = layout;
        _device = device;
        _logger = logger;
        catalog.SyncLogThrough(device);
        Catalog = catalog;
    }

    /// <summary>Null after a fault, until it is opened again.</summary>
    public CatalogWriter? Catalog { get; private set; }

    public bool InTransaction { get; private set; }

    /// <summary>Begins a transaction, if none is begun.</summary>
    public void Enter()
    {
        if (!InTransaction)
        {
            Catalog!.Begin();
            InTransaction = true;
        }
    }

    /// <summary>Commits, durably. When it fails nobody knows whether it did: <see cref="Drop"/> it then.</summary>
    public void Commit()
    {
        Catalog!.Commit();
        InTransaction = false;
    }

    /// <summary>Takes back what is not committed.</summary>
    public void Rollback()
    {
        if (InTransaction)
        {
            Catalog?.Connection.Rollback();
            InTransaction = false;
        }
    }

    /// <summary>It is not to be trusted any more.</summary>
    public void Drop(Exception cause)
    {
        StoreLog.CatalogDropped(_logger, cause);
        Catalog?.Connection.Rollback();
        Dispose();
        InTransaction = false;
    }

    /// <summary>
    /// The catalog, opened again when it was dropped. A commit that failed may have left log pages that were never synced, and the next sync would not say
    /// so: the log is emptied into the database file, with syncs of its own, or, while somebody reads, written once more, and what was in doubt is settled,
    /// before it is trusted.
    /// </summary>
    public CatalogWriter Trusted(Doubts doubts, PackNotes notes, long now)
    {
        if (Catalog is not null)
        {
            return Catalog;
        }

        var catalog = CatalogWriter.Open(_layout.Catalog, create: false);
        try
        {
            catalog.Connection.SetBusyTimeout(ReaderPatience);
            var emptied = catalog.Connection.TryEmptyLog();
            catalog.Connection.SetBusyTimeout(10_000);
            if (!emptied)
            {
                catalog.RewriteLog(_device); // a backup or a verification may read for minutes
            }

            catalog.SyncLogThrough(_device);
            doubts.Settle(catalog, notes, now);
        }
        catch
        {
            catalog.Dispose();
            throw;
        }

        return Catalog = catalog;
    }

    /// <summary>
    /// A batch writes its pack before it touches the catalog; the books alone have to ask first. Where the file system has become read-only, SQLite's
    /// first write to its shared memory would end the process with SIGBUS. The log may be opened for that: SQLite locks it not.
    /// </summary>
    public bool MayBeWritten()
    {
        try
        {
            if (Catalog is not null)
            {
                using (_device.OpenExisting(_layout.CatalogLog))
                {
                }
            }

            return true;
        }
        catch (StorageFaultException)
        {
            return false; // whoever submits hears of it; the books wait
        }
    }

    public void Dispose()
    {
        Catalog?.Dispose();
        Catalog = null;
    }
}
