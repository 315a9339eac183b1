using FastListener.Storage.Devices;

namespace FastListener.Storage.Catalog;

/// <summary>
/// A catalog open for reading. A reader shares a little memory with the writer, in a file of its own; on a disk that cannot hold even that, and while no
/// server is there, it does without: then the directory is locked, so that none comes for as long as this is open.
/// </summary>
internal sealed class CatalogAccess : IDisposable
{
    private static readonly TimeSpan OtherReaders = TimeSpan.FromSeconds(10);

    private readonly LockFile? _alone;

    private CatalogAccess(CatalogConnection connection, LockFile? alone)
    {
        Connection = connection;
        _alone = alone;
    }

    public CatalogConnection Connection { get; }

    /// <summary>Opens it. Throws <see cref="StorageFaultException"/> when it cannot be read in either way.</summary>
    public static CatalogAccess Open(StoreLayout layout)
    {
        try
        {
            return new(Read(CatalogConnection.OpenForReading(layout.Catalog)), null);
        }
        catch (StorageFaultException)
        {
            if (TryOpenAlone(layout) is { } access)
            {
                return access;
            }

            throw;
        }
    }

    public void Dispose()
    {
        Connection.Dispose();
        _alone?.Dispose();
    }

    private static CatalogAccess? TryOpenAlone(StoreLayout layout)
    {
        LockFile? alone = null;
        try
        {
            alone = File.Exists(layout.Lock) ? LockFile.Take(layout.Lock, OtherReaders) : null;
            if (alone is null || new FileInfo(layout.CatalogLog) is { Exists: true, Length: > 0 })
            {
                return null; // a server is there, or was killed: the log has to be read, and that needs the shared memory
            }

            var access = new CatalogAccess(Read(CatalogConnection.OpenUnchanging(layout.Catalog)), alone);
            alone = null;
            return access;
        }
        catch (StorageFaultException)
        {
            return null; // the first refusal is the one to tell of
        }
        finally
        {
            alone?.Dispose();
        }
    }

    /// <summary>Only a first look shows whether it can be read.</summary>
    private static CatalogConnection Read(CatalogConnection connection)
    {
        try
        {
            connection.Scalar("PRAGMA user_version");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
