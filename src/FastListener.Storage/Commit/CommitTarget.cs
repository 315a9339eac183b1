using FastListener.Storage.Catalog;
using FastListener.Storage.Devices;
using FastListener.Storage.Packs;
using Microsoft.Extensions.Logging;

namespace FastListener.Storage.Commit;

/// <summary>
/// Where batches go: the pack being written and the catalog, and what may be trusted of them after a fault. Used by the committer's thread only.
/// </summary>
internal sealed class CommitTarget : IDisposable
{
    private const long RunwayPause = 60_000_000; // microseconds
    private const long BooksInterval = 1_000_000;
    private const long BooksPause = 10_000_000;

    private readonly StoreOptions _options;
    private readonly uint _instance;
    private readonly DiskReserve _reserve;
    private readonly ILogger _logger;
    private readonly PackWriter _packs;
    private readonly CatalogSession _session;
    private readonly CatalogCheckpointer _checkpointer;
    private readonly IdLeases _ids;
    private readonly BatchRows _rows = new();
    private readonly PackNotes _notes;
    private readonly Doubts _doubts;
    private readonly Books _books;
    private readonly Func<Account, int> _numberOf;
    private Stage _stage;
    private long _now;
    private long _noRunwayBefore;
    private long _noBooksBefore;

    private enum Stage
    {
        Preparing,
        WritingPack,
        WritingCatalog,
        Committing,
        Syncing,
        Committed,
    }

    public CommitTarget(StoreOptions options, StoreLayout layout, StorageDevice device, uint instance, bool direct, CatalogWriter catalog, Books books,
        DiskReserve reserve, ILogger logger)
    {
        _options = options;
        _instance = instance;
        _reserve = reserve;
        _logger = logger;
        _books = books;
        _numberOf = account => _rows.NumberOf(account, _session!.Catalog!);
        _doubts = new(layout, device);
        _packs = new(layout, device, instance, direct, logger);
        _notes = new(_packs, instance);
        _session = new(layout, device, catalog, logger);
        _ids = new(options.MaxBatchObjects);
        _checkpointer = new(layout.Catalog, reserve, logger);
    }

    /// <summary>The pack the batch goes to.</summary>
    public long Pack => _packs.Pack;

    /// <summary>The catalog, for tests that break it.</summary>
    internal CatalogWriter? Catalog => _session.Catalog;

    /// <summary>Gets a trustworthy catalog, a pack and enough ids, if they are not there already.</summary>
    public void Prepare(int submissions, long now)
    {
        _stage = Stage.Preparing;
        _now = now;
        var catalog = _session.Trusted(_doubts, _notes, now);
        _reserve.ThrowIfFull();
        if (!_ids.Suffice(submissions, forPack: !_packs.IsOpen))
        {
            LeaseNow(catalog);
        }

        if (!_packs.IsOpen)
        {
            _packs.Create(_ids.TakePack(), now);
        }
    }

    /// <summary><see cref="BatchRows.TakePayloadIndexes"/>. Holds the catalog's write lock until the batch ends.</summary>
    public int TakePayloadIndexes(long objectId, int count, int most)
    {
        _session.Enter();
        return _rows.TakePayloadIndexes(_session.Catalog!, objectId, count, most);
    }

    public long TakeId() => _ids.TakeObject();

    /// <summary>
    /// Makes the batch durable. When it returns, every entry may be acknowledged. The pack and the catalog's log are synced at the same time, since a
    /// disk does two flushes at once in the time of one; a batch whose pack did not become durable is taken out of the catalog again, here or by the
    /// next start, which looks at the last batch of a pack that was not ended.
    /// </summary>
    public void Write(BatchBuffer buffer, List<BatchEntry> batch, long now)
    {
        var bytes = buffer.Finish(_packs.Pack, _packs.End, batch.Count, now);
        _stage = Stage.WritingPack;
        _packs.Begin(bytes);
        _stage = Stage.WritingCatalog;
        _session.Enter();
        var catalog = _session.Catalog!;
        foreach (var entry in batch)
        {
            _rows.Add(catalog, entry, new(_packs.Pack, _packs.End + entry.Offset, entry.Length), now);
            _books.CountStored(entry.Submission);
        }

        _books.CountReceived(batch);
        _books.Write(catalog.Ledger, _instance, now, _numberOf);
        _noBooksBefore = now + BooksInterval;
        _notes.WriteEnded(catalog);
        catalog.SetPack(_packs.Pack, _instance, _packs.End + bytes.Length, _packs.End);
        _ids.Renew(catalog);
        _stage = Stage.WritingPack;
        _packs.WaitWritten(); // a reader must find what a committed row names
        _stage = Stage.Committing;
        _session.Commit();
        _stage = Stage.Syncing;
        _packs.WaitDurable();
        _stage = Stage.Committed;
        _packs.Confirm();
        _ids.Confirm();
        _notes.ConfirmEnded();
        _rows.Confirm();
        _books.Confirm();
    }

    /// <summary>
    /// Books what waits for the ledger, and notes up to where packs are durable, in a transaction of its own. A fault costs nothing but the time until the
    /// next try: then it is false.
    /// </summary>
    public bool WriteBooks(long now)
    {
        if (!_books.AnyWaiting && !_notes.AnyWaiting)
        {
            return true;
        }

        if (!_session.MayBeWritten())
        {
            _noBooksBefore = now + BooksPause;
            return false;
        }

        try
        {
            var catalog = _session.Trusted(_doubts, _notes, now);
            _noBooksBefore = now + BooksInterval;
            _session.Enter();
            _books.Write(catalog.Ledger, _instance, now, _numberOf);
            _notes.Write(catalog);
            _session.Commit();
            _notes.Confirm();
            _rows.Confirm();
            _books.Confirm();
            return true;
        }
        catch (IOException fault)
        {
            _books.Doubt();
            _session.Drop(fault);
            _noBooksBefore = now + BooksPause;
            if (fault is StorageFaultException { Kind: StorageFaultKind.DiskFull })
            {
                _reserve.GiveUp();
            }

            return false;
        }
        finally
        {
            EndBatch();
        }
    }

    /// <summary>
    /// After a fault: the pack is never written again; a catalog that failed is closed. True when nobody knows whether the batch is in the catalog.
    /// </summary>
    public bool Abandon(Exception cause)
    {
        var inDoubt = _stage is Stage.Committing;
        if (_stage is Stage.Committed)
        {
            return false;
        }

        if (cause is StorageFaultException { Kind: StorageFaultKind.DiskFull })
        {
            _reserve.GiveUp(); // the catalog comes to terms with it, and the pack can be ended
        }

        _ids.Forget();
        _books.Doubt();
        if (_stage is Stage.WritingCatalog or Stage.Committing || cause is CatalogDamagedException)
        {
            _session.Drop(cause);
        }
        else if (_stage is Stage.Syncing)
        {
            inDoubt = !TryUndo();
        }
        else
        {
            _session.Rollback();
        }

        if (inDoubt)
        {
            if (!_packs.Settle())
            {
                _doubts.MustUndo(_packs.Pack, _packs.End);
            }

            _doubts.AddPack(_packs.Pack);
            _packs.Release();
        }
        else if (_stage != Stage.Preparing)
        {
            ClosePack(_now);
        }

        return inDoubt;
    }

    /// <summary>Takes the files of a submission whose fate is not known, so that they are not erased if the catalog names them after all.</summary>
    public void KeepUntilKnown(in BatchEntry entry) => _doubts.TakeFiles(entry);

    public void EndBatch()
    {
        _rows.Forget();
        _books.EndBatch();
        _session.Rollback();
    }

    /// <summary>While nothing waits: prepares the way for the next batch.</summary>
    public void UseIdleTime(long now)
    {
        if (now >= _noBooksBefore)
        {
            WriteBooks(now);
        }

        if (now < _noRunwayBefore)
        {
            return;
        }

        try
        {
            _packs.ExtendRunway();
        }
        catch (IOException fault)
        {
            // It was only zeros, but a sync that failed may have been about more.
            StoreLog.NoRunway(_logger, _packs.Pack, fault);
            _noRunwayBefore = now + RunwayPause;
            ClosePack(now);
        }
    }

    /// <summary>What can wait until the answers are out: ending a full pack, checkpoints.</summary>
    public void AfterBatch()
    {
        if (_packs.IsOpen && _packs.End >= _options.PackBytes)
        {
            ClosePack(_now);
        }

        if (_session.Catalog is { } catalog)
        {
            _checkpointer.AfterBatch(catalog.Connection);
        }
    }

    /// <summary>A clean end: the pack sealed, unused ids given back, the instance forgotten. False when something is left for recovery.</summary>
    public bool Close(long now)
    {
        try
        {
            var catalog = _session.Trusted(_doubts, _notes, now);
            if (_packs.IsOpen)
            {
                ClosePack(now);
            }

            _session.Enter();
            _books.Write(catalog.Ledger, _instance, now, _numberOf);
            _notes.Write(catalog);
            _ids.GiveBack(catalog.Connection);
            if (catalog.Connection.Scalar($"SELECT count(*) FROM packs WHERE is_open=1 AND instance={_instance}") == 0)
            {
                catalog.Connection.Execute($"DELETE FROM instances WHERE id={_instance}");
            }

            _session.Commit();
            return true;
        }
        catch (IOException fault)
        {
            StoreLog.CatalogDropped(_logger, fault);
            return false;
        }
    }

    public void Dispose()
    {
        _checkpointer.Dispose();
        _packs.Dispose();
        _session.Dispose();
    }

    private void LeaseNow(CatalogWriter catalog)
    {
        _stage = Stage.WritingCatalog;
        _session.Enter();
        _ids.Renew(catalog);
        _session.Commit();
        _ids.Confirm();
        _stage = Stage.Preparing;
    }

    private void ClosePack(long now)
    {
        if (_packs is { IsOpen: true, HasCommits: var committed } && _packs.Close(now) && committed)
        {
            _notes.AddEnded(_packs.Pack);
        }
    }

    /// <summary>The catalog has committed a batch whose bytes did not become durable. False when it cannot forget it now: the next one who opens it must.</summary>
    private bool TryUndo()
    {
        try
        {
            _session.Catalog!.Undo(_packs.Pack, _packs.End);
            return true;
        }
        catch (IOException fault)
        {
            _session.Drop(fault);
            return false;
        }
    }
}
