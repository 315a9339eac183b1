using FastListener.Storage.Packs;
using FastListener.Storage.Payloads;

namespace FastListener.Storage.Catalog;

/// <summary>The catalog as its writer sees it: prepared statements, one transaction per batch. Used by the committer's thread, and before that by recovery.</summary>
internal sealed class CatalogWriter : IDisposable
{
    private const int LogChunk = 256 * 1024;

    private readonly CatalogConnection _connection;
    private readonly CatalogStatement _begin;
    private readonly CatalogStatement _commit;
    private readonly CatalogStatement _addObject;
    private readonly CatalogStatement _addAttachment;
    private readonly CatalogStatement _addFile;
    private readonly CatalogStatement _setPack;
    private readonly CatalogStatement _closePack;
    private readonly CatalogStatement _addProject;
    private readonly CatalogStatement _findProject;
    private readonly CatalogStatement _addAccount;
    private readonly CatalogStatement _findAccount;
    private readonly CatalogStatement _lease;
    private readonly CatalogStatement _payloadCount;
    private readonly CatalogStatement _findAttachment;
    private StorageFile? _log;

    private CatalogWriter(CatalogConnection connection)
    {
        _connection = connection;
        _begin = connection.Prepare("BEGIN IMMEDIATE");
        _commit = connection.Prepare("COMMIT");
        _addObject = connection.Prepare("INSERT INTO objects VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
        _addAttachment = connection.Prepare("INSERT INTO attachments VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)");
        _addFile = connection.Prepare("INSERT INTO files VALUES(?,?,?)");
        _setPack = connection.Prepare(
            "INSERT INTO packs(id, instance, committed_end, synced_end, is_open) VALUES(?,?,?,?,1) "
            + "ON CONFLICT(id) DO UPDATE SET committed_end=excluded.committed_end, synced_end=excluded.synced_end");
        _closePack = connection.Prepare("UPDATE packs SET is_open=0 WHERE id=?");
        _addProject = connection.Prepare("INSERT INTO projects(universe, project) VALUES(?,?) ON CONFLICT DO NOTHING");
        _findProject = connection.Prepare("SELECT id FROM projects WHERE universe=? AND project=?");
        _addAccount = connection.Prepare("INSERT INTO accounts(key) VALUES(?) ON CONFLICT DO NOTHING");
        _findAccount = connection.Prepare("SELECT id FROM accounts WHERE key=?");
        _lease = connection.Prepare("UPDATE counters SET next=next+? WHERE name=? RETURNING next");
        _payloadCount = connection.Prepare(
            "SELECT max(o.payload_count, ifnull((SELECT max(first_index+payload_count) FROM attachments WHERE object_id=o.id),0)) FROM objects o WHERE o.id=?");
        _findAttachment = connection.Prepare("SELECT 1 FROM attachments WHERE object_id=? AND first_index=?");
        Ledger = new(connection);
    }

    public CatalogConnection Connection => _connection;

    public LedgerWriter Ledger { get; }

    /// <summary>Opens, creates or migrates the catalog.</summary>
    public static CatalogWriter Open(string path, bool create)
    {
        var connection = CatalogConnection.OpenForWriting(path, create);
        try
        {
            CatalogSchema.Prepare(connection);
            return new(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    public void Begin() => _begin.Run();

    /// <summary>Commits, durably. When it fails, nobody knows whether it did.</summary>
    public void Commit()
    {
        _commit.Run();
        _log?.SyncData();
    }

    /// <summary>
    /// From here on <see cref="Commit"/> makes a transaction durable with a data sync of the write-ahead log instead of SQLite's own full sync, which
    /// writes the file's times with every commit. Checkpoints still sync the log and the database as they always do. A transaction can be seen by
    /// readers a moment before it is durable, and is not acknowledged before it is. Transactions of other statements are no longer synced.
    /// </summary>
    public void SyncLogThrough(StorageDevice device)
    {
        _connection.Execute("PRAGMA synchronous=NORMAL; BEGIN IMMEDIATE; ROLLBACK"); // the transaction makes sure that the log exists
        _log ??= device.OpenExisting(_connection.Path + "-wal");
    }

    /// <summary>
    /// Writes the log once more, as it is, and makes it durable. After a sync that failed, one of ours or of a process that has died, the kernel takes pages
    /// for written that are not, and no later sync would say so. Needs no space, disturbs no reader, and holds other writers up.
    /// </summary>
    public void RewriteLog(StorageDevice device)
    {
        var path = _connection.Path + "-wal";
        using var log = device.OpenExisting(path); // first of all: it tells whether the file system may still be written
        using var bytes = new AlignedBuffer(LogChunk);
        using var current = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        Begin();
        try
        {
            for (long offset = 0; PackReader.ReadFully(current, bytes.Span, offset) is > 0 and var read; offset += read)
            {
                log.Write(bytes.Span[..read], offset);
            }

            log.SyncData();
        }
        finally
        {
            _connection.Rollback();
        }
    }

    public void AddObject(
        in ObjectRow row, in Charge charge, ReadOnlySpan<byte> client, ReadOnlySpan<byte> payloads, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> degraded) =>
        _addObject
            .Bind(1, row.Id).Bind(2, row.Random).Bind(3, row.ProjectId).Bind(4, row.Format).Bind(5, row.Flags)
            .Bind(6, row.ReceivedAt).Bind(7, row.CommittedAt).BindBlob(8, client)
            .Bind(9, row.Place.Pack).Bind(10, row.Place.Offset).Bind(11, row.Place.Length)
            .Bind(12, row.PayloadCount).Bind(13, row.PayloadBytes).BindBlob(14, payloads).BindBlob(15, signature)
            .Bind(16, charge.AccountId).Bind(17, charge.WireBytes).Bind(18, charge.KeptBytes).BindText(19, degraded)
            .Run();

    public void AddAttachment(
        long objectId, int firstIndex, int count, int flags, long committedAt, in RecordPlace place, in Charge charge, ReadOnlySpan<byte> payloads, ReadOnlySpan<byte> degraded) =>
        _addAttachment
            .Bind(1, objectId).Bind(2, firstIndex).Bind(3, count).Bind(4, flags).Bind(5, committedAt)
            .Bind(6, place.Pack).Bind(7, place.Offset).Bind(8, place.Length).BindBlob(9, payloads)
            .Bind(10, charge.AccountId).Bind(11, charge.WireBytes).Bind(12, charge.KeptBytes).BindText(13, degraded)
            .Run();

    public void AddFile(string name, long objectId, long size) => _addFile.BindText(1, name).Bind(2, objectId).Bind(3, size).Run();

    /// <summary>A batch goes from <paramref name="syncedEnd"/> to <paramref name="committedEnd"/>; what lies before it is durable.</summary>
    public void SetPack(long pack, uint instance, long committedEnd, long syncedEnd) =>
        _setPack.Bind(1, pack).Bind(2, instance).Bind(3, committedEnd).Bind(4, syncedEnd).Run();

    /// <summary>
    /// Takes out everything a pack holds from <paramref name="start"/> on, in a transaction of its own: it was committed beside its bytes, and they did
    /// not become durable. Nothing of it was acknowledged. What was booked for it in the ledger is taken back, too; what its transaction booked of
    /// requests that were not stored stays.
    /// </summary>
    public void Undo(long pack, long start)
    {
        Begin();
        try
        {
            Ledger.TakeBack(pack, start);
            foreach (var table in (ReadOnlySpan<string>)["objects", "attachments"])
            {
                foreach (var file in FilesOf(table, pack, start))
                {
                    RunOnce("DELETE FROM files WHERE name=?", statement => statement.BindText(1, file));
                }

                RunOnce($"DELETE FROM {table} WHERE pack=? AND offset>=?", statement => statement.Bind(1, pack).Bind(2, start));
            }

            RunOnce("UPDATE packs SET committed_end=?1, synced_end=?1 WHERE id=?2", statement => statement.Bind(1, start).Bind(2, pack));
            RunOnce("DELETE FROM packs WHERE id=? AND committed_end<=?", statement => statement.Bind(1, pack).Bind(2, PackLayout.FileHeaderSize));
            Commit();
        }
        catch
        {
            _connection.Rollback();
            throw;
        }
    }

    public void ClosePack(long pack) => _closePack.Bind(1, pack).Run();

    /// <summary>The project's id, given by this transaction when it is new.</summary>
    public int ProjectId(string universe, string project)
    {
        var id = FindProject(universe, project);
        if (id == 0)
        {
            _addProject.BindText(1, universe).BindText(2, project).Run();
            id = FindProject(universe, project);
        }

        return id;
    }

    /// <summary>The account's id, given by this transaction when it is new. Never 0.</summary>
    public int AccountId(ReadOnlySpan<byte> key)
    {
        var id = FindAccount(key);
        if (id == 0)
        {
            _addAccount.BindText(1, key).Run();
            id = FindAccount(key);
        }

        return id;
    }

    /// <summary>Takes so many ids off a counter; the first of them.</summary>
    public long Lease(string counter, int count)
    {
        _lease.Bind(1, count).BindText(2, counter);
        try
        {
            var next = _lease.Step() ? _lease.Int64(0) : throw new CatalogDamagedException($"The catalog has no counter {counter}.");
            _lease.Step();
            return next - count;
        }
        finally
        {
            _lease.Reset();
        }
    }

    /// <summary>How many payload indexes of an object are taken; -1 when there is no such object.</summary>
    public int PayloadsOf(long objectId)
    {
        try
        {
            return _payloadCount.Bind(1, objectId).Step() ? _payloadCount.Int32(0) : -1;
        }
        finally
        {
            _payloadCount.Reset();
        }
    }

    public bool HasAttachment(long objectId, int firstIndex)
    {
        try
        {
            return _findAttachment.Bind(1, objectId).Bind(2, firstIndex).Step();
        }
        finally
        {
            _findAttachment.Reset();
        }
    }

    public void Dispose()
    {
        _log?.Dispose();
        _connection.Dispose();
    }

    private List<string> FilesOf(string table, long pack, long start)
    {
        var files = new List<string>();
        using var statement = _connection.Prepare($"SELECT payloads, offset, length FROM {table} WHERE pack=? AND offset>=?");
        statement.Bind(1, pack).Bind(2, start);
        while (statement.Step())
        {
            foreach (var payload in PayloadTable.Read(statement.Blob(0), 0, default, pack, statement.Int64(1), statement.Int64(2)))
            {
                if (payload.File is { } file)
                {
                    files.Add(file);
                }
            }
        }

        return files;
    }

    private void RunOnce(string sql, Action<CatalogStatement> bind)
    {
        using var statement = _connection.Prepare(sql);
        bind(statement);
        statement.Run();
    }

    private int FindAccount(ReadOnlySpan<byte> key)
    {
        try
        {
            return _findAccount.BindText(1, key).Step() ? _findAccount.Int32(0) : 0;
        }
        finally
        {
            _findAccount.Reset();
        }
    }

    private int FindProject(string universe, string project)
    {
        try
        {
            return _findProject.BindText(1, universe).BindText(2, project).Step() ? _findProject.Int32(0) : 0;
        }
        finally
        {
            _findProject.Reset();
        }
    }
}

/// <summary>Where a record lies.</summary>
internal readonly record struct RecordPlace(long Pack, long Offset, long Length);

/// <summary>The numbers of an object's catalog row. Times are Unix microseconds.</summary>
internal readonly record struct ObjectRow(
    long Id, uint Random, int ProjectId, byte Format, int Flags, long ReceivedAt, long CommittedAt, RecordPlace Place, int PayloadCount, long PayloadBytes)
{
    /// <summary>Salvage found it beyond the last commit it could prove.</summary>
    public const int Unconfirmed = 1;

    /// <summary>The flags' bits that say what was given up.</summary>
    public const int DegradationFlags = 3 << DegradationShift;

    private const int DegradationShift = 1; // bits 1 and 2

    /// <summary>The flags' part that says what was given up.</summary>
    public static int FlagOf(Degradation level) => (int)level << DegradationShift;

    /// <summary>What the flags say was given up.</summary>
    public static Degradation DegradationOf(int flags) => (Degradation)((flags & DegradationFlags) >> DegradationShift);
}

/// <summary>Whose submission a row is, and what it took: the bytes received for it and those of its payloads that are stored. Account 0: not counted then.</summary>
internal readonly record struct Charge(int AccountId, long WireBytes, long KeptBytes);
