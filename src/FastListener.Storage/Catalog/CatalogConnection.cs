using System.Runtime.InteropServices;
using FastListener.Storage.Devices;
using SQLitePCL;

namespace FastListener.Storage.Catalog;

/// <summary>
/// One SQLite connection, used by one thread at a time, through the raw API: nothing is boxed and no row costs an allocation.
/// Every failure is a <see cref="StorageFaultException"/> of the fitting kind.
/// </summary>
internal sealed partial class CatalogConnection : IDisposable
{
    private const int NoSharedMemory = 4874; // SQLITE_IOERR_SHMSIZE: the -shm file could not grow
    private const int ShortRead = 522; // SQLITE_IOERR_SHORT_READ: no call of the system failed
    private const int CacheWriteStatus = 9; // SQLITE_DBSTATUS_CACHE_WRITE
    private readonly sqlite3 _database;
    private readonly List<CatalogStatement> _statements = [];

    static CatalogConnection() => Batteries_V2.Init();

    private CatalogConnection(sqlite3 database, string path)
    {
        _database = database;
        Path = path;
    }

    public string Path { get; }

    internal sqlite3 Handle => _database;

    /// <summary>Opens for writing: WAL, a sync with every commit, checkpoints only when asked for.</summary>
    public static CatalogConnection OpenForWriting(string path, bool create)
    {
        if (create)
        {
            CreatePrivate(path);
        }

        var connection = Open(path, raw.SQLITE_OPEN_READWRITE);
        try
        {
            connection.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-4096; PRAGMA foreign_keys=OFF; PRAGMA temp_store=MEMORY");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Opens for reading what others may be writing.</summary>
    public static CatalogConnection OpenForReading(string path)
    {
        // WAL readers take part in locking through the -shm file, so they open read-write and forbid themselves to write.
        var connection = Open(path, raw.SQLITE_OPEN_READWRITE);
        try
        {
            connection.Execute("PRAGMA query_only=ON; PRAGMA cache_size=-2048; PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Opens for reading what nobody can be writing meanwhile, and whose log is empty: with no lock, log or shared memory, so that it takes neither a byte
    /// nor a file of the disk.
    /// </summary>
    public static CatalogConnection OpenUnchanging(string path)
    {
        const int uri = 0x40; // SQLITE_OPEN_URI
        var connection = Open(path, raw.SQLITE_OPEN_READONLY | uri, $"file:{string.Join('/', path.Split('/').Select(Uri.EscapeDataString))}?immutable=1");
        try
        {
            connection.Execute("PRAGMA cache_size=-2048; PRAGMA temp_store=MEMORY");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public void Execute(string sql) => Check(raw.sqlite3_exec(_database, sql), sql);

    public CatalogStatement Prepare(string sql)
    {
        const uint persistent = 1; // SQLITE_PREPARE_PERSISTENT
        Check(raw.sqlite3_prepare_v3(_database, sql, persistent, out var handle), sql);
        var statement = new CatalogStatement(this, handle);
        _statements.Add(statement);
        return statement;
    }

    /// <summary>The first column of the first row; 0 when there is none.</summary>
    public long Scalar(string sql)
    {
        using var statement = Prepare(sql);
        var value = statement.Step() ? statement.Int64(0) : 0;
        _statements.Remove(statement);
        return value;
    }

    public void SetBusyTimeout(int milliseconds) => _ = raw.sqlite3_busy_timeout(_database, milliseconds);

    /// <summary>Rolls back if a transaction is open; never fails.</summary>
    public void Rollback() => _ = raw.sqlite3_exec(_database, "ROLLBACK");

    /// <summary>Copies what it can of the log into the database file, and waits for nobody.</summary>
    public void Checkpoint() => TryCheckpoint(raw.SQLITE_CHECKPOINT_PASSIVE);

    /// <summary>Copies the whole log into the database file and empties it. False when a reader or writer keeps that from being done.</summary>
    public bool TryEmptyLog() => TryCheckpoint(raw.SQLITE_CHECKPOINT_TRUNCATE);

    /// <summary>Copies the whole log into the database file and empties it; throws when a reader or writer keeps that from being done.</summary>
    public void EmptyLog()
    {
        if (!TryEmptyLog())
        {
            Check(raw.SQLITE_BUSY, "checkpoint");
        }
    }

    /// <summary>Pages this connection has written since it was opened.</summary>
    public int PagesWritten()
    {
        _ = raw.sqlite3_db_status(_database, CacheWriteStatus, out var current, out _, 0);
        return current;
    }

    /// <summary>Again does nothing.</summary>
    public void Dispose()
    {
        if (_database.IsClosed)
        {
            return;
        }

        foreach (var statement in _statements)
        {
            statement.Dispose();
        }

        _statements.Clear();
        _ = raw.sqlite3_close_v2(_database);
        _database.Dispose();
    }

    internal void Check(int result, string what)
    {
        if (result is raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE)
        {
            return;
        }

        var message = $"Catalog {Path}: {raw.sqlite3_errmsg(_database).utf8_to_string()} ({raw.sqlite3_extended_errcode(_database)}) in: {what}";
        throw (result & 0xFF) is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB
            ? new CatalogDamagedException(message)
            : new StorageFaultException(KindOf(raw.sqlite3_extended_errcode(_database), SystemError(_database.DangerousGetHandle())), message);
    }

    /// <summary>SQLite would leave it to the umask who may read the file. What it puts beside it, log and shared memory, takes after the file: mode and, made by root, owner.</summary>
    private static void CreatePrivate(string path)
    {
        var descriptor = Libc.Open(path, Libc.ReadWrite | Libc.CreateNew | Libc.CloseOnExec, Libc.PrivateFile);
        if (descriptor >= 0)
        {
            _ = Libc.Close(descriptor);
        }
        else if (Marshal.GetLastPInvokeError() is var errno and not Libc.Exists)
        {
            throw Libc.Fault("Cannot create", path, errno);
        }
    }

    private static CatalogConnection Open(string path, int flags, string? name = null)
    {
        const int noMutex = 0x8000; // SQLITE_OPEN_NOMUTEX: one thread at a time is our rule
        var result = raw.sqlite3_open_v2(name ?? path, out var database, flags | noMutex, null);
        var connection = new CatalogConnection(database, path);
        try
        {
            _ = raw.sqlite3_extended_result_codes(database, 0);
            _ = raw.sqlite3_busy_timeout(database, 10_000);
            connection.Check(result, "open");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>False when somebody's lock is in the way.</summary>
    private bool TryCheckpoint(int mode)
    {
        var result = raw.sqlite3_wal_checkpoint_v2(_database, "main", mode, out _, out _);
        if (result == raw.SQLITE_BUSY)
        {
            return false;
        }

        Check(result, "checkpoint");
        return true;
    }

    /// <summary>What SQLite calls an I/O error may be a disk that is read-only: the system's own word for it is in the errno.</summary>
    private static StorageFaultKind KindOf(int extended, int errno) => (extended & 0xFF) switch
    {
        raw.SQLITE_FULL => StorageFaultKind.DiskFull,
        raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN when extended != ShortRead && Libc.KindOf(errno) is var kind and not StorageFaultKind.InputOutput => kind,
        _ when extended == NoSharedMemory => StorageFaultKind.DiskFull,
        raw.SQLITE_READONLY or raw.SQLITE_PERM => StorageFaultKind.ReadOnly,
        _ => StorageFaultKind.InputOutput,
    };

    /// <summary>The errno of the connection's last I/O error; the library is the one that the raw API calls.</summary>
    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_system_errno")]
    private static partial int SystemError(nint database);
}

/// <summary>The catalog file is not a sound database.</summary>
internal sealed class CatalogDamagedException(string message) : IOException(message);
