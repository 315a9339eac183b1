using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Threading.Channels;
using FastListener.Storage.Catalog;
using FastListener.Storage.Devices;
using FastListener.Storage.Packs;
using FastListener.Storage.Payloads;
using Microsoft.Extensions.Logging;

namespace FastListener.Storage.Commit;

/// <summary>
/// The one thread that makes submissions durable. A batch is half of what waits (<see cref="Gatherer"/>): one pack write, one catalog
/// transaction, the data syncs of both at the same time, then the answers: those of a few run on here, those of many on other threads.
/// </summary>
internal sealed class Committer : IDisposable
{
    private const int AnsweredHere = 4; // waking another thread costs more than a few answers

    private readonly CommitTarget _target;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Gatherer _gatherer;
    private readonly ConcurrentQueue<TaskCompletionSource<bool>> _booksAsked = new();
    private readonly BatchBuffer _bytes;
    private readonly List<BatchEntry> _batch = [];
    private readonly CommitTimes _times = new();
    private readonly byte[] _randomBytes = new byte[1024];
    private readonly Thread _thread;
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _randomUsed;
    private int _committing;
    private long _lastTime;
    private CommitCounters _counters;

    public Committer(StoreOptions options, CommitTarget target, TimeProvider time, ILogger logger)
    {
        _target = target;
        _time = time;
        _logger = logger;
        _randomUsed = _randomBytes.Length;
        _bytes = new(options.MaxBatchBytes);
        _gatherer = new(options, whenIdle: () => _target.UseIdleTime(Now()), whenWoken: WriteBooksWhenAsked);
        _thread = new Thread(Run) { IsBackground = true, Name = "committer" };
        _thread.Start();
    }

    public ChannelWriter<Submission> Queue => _gatherer.Queue;

    /// <summary>Submissions that wait for a batch.</summary>
    public int Queued => _gatherer.Queued;

    /// <summary>Submissions in the batch that is being committed.</summary>
    public int Committing => Volatile.Read(ref _committing);

    /// <summary>A consistent-enough picture for statistics: each counter is whole.</summary>
    public ref readonly CommitCounters Counters => ref _counters;

    /// <summary>Completes when a defect has ended the thread: nothing more is committed, and the target is in nobody knows what state.</summary>
    public Task Failed => _failed.Task;

    /// <summary>How long commits took.</summary>
    public CommitDurations Durations => _times.Snapshot();

    /// <summary>Books what waits for the ledger. False when that failed: then it waits on.</summary>
    public Task<bool> WriteBooksAsync()
    {
        var asked = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        _booksAsked.Enqueue(asked);
        _gatherer.Wake();
        if (Failed.IsCompleted)
        {
            RefuseBooks();
        }

        return asked.Task;
    }

    /// <summary>Commits what is queued, then ends the thread. The target stays open.</summary>
    public void Stop()
    {
        Queue.TryComplete();
        _thread.Join();
        RefuseBooks(); // the end of the store books what is left
    }

    public void Dispose()
    {
        Stop();
        _bytes.Dispose();
        _gatherer.Dispose();
    }

    private void Run()
    {
        try
        {
            while (_gatherer.Gather(_batch, _bytes.Capacity))
            {
                CommitBatch();
                _target.AfterBatch();
                WriteBooksWhenAsked();
            }
        }
        catch (Exception exception)
        {
            // A defect, not a disk fault: those end in CommitBatch. Nobody must wait for ever, and whoever runs the store must learn of it.
            StoreLog.CommitterDied(_logger, exception);
            Fail(exception);
        }
    }

    private void Fail(Exception defect)
    {
        _counters.Failed(0, StorageFaultKind.InputOutput);
        _failed.SetResult(); // before anybody is answered: who hears of it must find it said
        Queue.TryComplete(defect);
        FailAll(defect);
        while (_gatherer.TakeAny() is { } waiting)
        {
            waiting.Fail(new StorageFaultException(StorageFaultKind.InputOutput, "The store has failed; it must be opened anew.", defect));
        }

        Volatile.Write(ref _committing, 0);
        RefuseBooks();
    }

    private void RefuseBooks()
    {
        while (_booksAsked.TryDequeue(out var asked))
        {
            asked.SetResult(false);
        }
    }

    private void WriteBooksWhenAsked()
    {
        var count = _booksAsked.Count; // whoever asks while they are written waits for the next time
        if (count == 0)
        {
            return;
        }

        var written = _target.WriteBooks(Now());
        for (; count > 0 && _booksAsked.TryDequeue(out var asked); count--)
        {
            asked.SetResult(written);
        }
    }

    private void CommitBatch()
    {
        var now = Now();
        var begun = _time.GetTimestamp();
        Volatile.Write(ref _committing, _batch.Count);
        try
        {
            _target.Prepare(_batch.Count, now);
            ResolveFollowUps();
            if (_batch.Count > 0)
            {
                Lay(now);
                _target.Write(_bytes, _batch, now);
                _times.Add(_time.GetElapsedTime(begun));
                AnswerAll();
            }
        }
        catch (Exception exception)
        {
            FailAll(exception);
        }
        finally
        {
            _target.EndBatch();
            Volatile.Write(ref _committing, 0);
        }
    }

    /// <summary>Gives late attachments their index. Those whose object is gone or full fail alone.</summary>
    private void ResolveFollowUps()
    {
        for (var i = 0; i < _batch.Count; i++)
        {
            var entry = _batch[i];
            if (!entry.IsLate)
            {
                continue;
            }

            var first = _target.TakePayloadIndexes(entry.Id, entry.Submission.Parts.Record.PayloadCount, entry.Submission.MaxPayloadsOfObject);
            if (first < 0)
            {
                _batch.RemoveAt(i--);
                entry.Submission.Fail(first == BatchRows.NoObject
                    ? new StorageFaultException(StorageFaultKind.ObjectGone, "The object no longer exists.")
                    : new StorageFaultException(StorageFaultKind.ObjectFull, "The object has as many payloads as it may."));
                continue;
            }

            _batch[i] = entry with { FirstIndex = first };
        }
    }

    private void Lay(long now)
    {
        _bytes.Clear(_batch[0].Submission.Parts.Record.Length);
        for (var i = 0; i < _batch.Count; i++)
        {
            var entry = _batch[i];
            var parts = entry.Submission.Parts;
            var length = parts.Record.Length;
            var destination = _bytes.Next(length, out var offset);
            entry = entry.IsLate
                ? entry with { Offset = offset, Length = length }
                : entry with { Id = _target.TakeId(), Random = NextRandom(), Offset = offset, Length = length };
            parts.Record.CopyTo(
                destination, parts.Inline, entry.IsLate ? PackLayout.LateAttachmentRecord : PackLayout.ObjectRecord, entry.Id, entry.Random, now, entry.FirstIndex);
            parts.Inline.Clear(); // the batch holds the bytes now
            _batch[i] = entry;
        }
    }

    private void AnswerAll()
    {
        var late = 0;
        long bytes = 0;
        var large = 0;
        foreach (var entry in _batch)
        {
            late += entry.IsLate ? 1 : 0;
            bytes += entry.Submission.Parts.Record.KeptBytes;
            foreach (var payload in entry.Submission.Parts.Payloads)
            {
                large += payload.IsSpilled ? 1 : 0;
            }
        }

        if (_counters.Fault is not null)
        {
            StoreLog.FaultCleared(_logger, _counters.FailedBatches);
        }

        _counters.Succeeded(_batch.Count - late, late, bytes, large);
        var here = _batch.Count <= AnsweredHere;
        foreach (var entry in _batch)
        {
            try
            {
                entry.Submission.Complete(new Receipt(entry.Id, entry.Random, entry.IsLate ? entry.FirstIndex : 0), here);
            }
            catch (Exception exception)
            {
                StoreLog.AnswerFailed(_logger, entry.Id, exception); // whoever goes on here has failed, not the commit
            }
        }

        _batch.Clear();
    }

    private void FailAll(Exception exception)
    {
        var kind = (exception as StorageFaultException)?.Kind ?? StorageFaultKind.InputOutput;
        if (_batch.Count > 0)
        {
            if (_counters.Fault == kind)
            {
                StoreLog.BatchFailedAgain(_logger, _batch.Count, kind, exception); // a full disk must not fill up with what is said about it
            }
            else
            {
                StoreLog.BatchFailed(_logger, _batch.Count, kind, _target.Pack, exception);
            }

            _counters.Failed(_batch.Count, kind);
        }

        bool inDoubt;
        try
        {
            inDoubt = _target.Abandon(exception);
        }
        catch (Exception defect)
        {
            StoreLog.AbandonFailed(_logger, _target.Pack, defect);
            inDoubt = true; // nothing is erased that might be named
        }

        while (_batch.Count > 0)
        {
            var entry = _batch[^1];
            _batch.RemoveAt(_batch.Count - 1); // each is failed once, also when a defect below brings us here again
            try
            {
                if (inDoubt)
                {
                    _target.KeepUntilKnown(entry);
                }
            }
            finally
            {
                entry.Submission.Fail(new StorageFaultException(kind, "The submission was not stored.", exception));
            }
        }
    }

    private uint NextRandom()
    {
        while (true)
        {
            if (_randomUsed == _randomBytes.Length)
            {
                RandomNumberGenerator.Fill(_randomBytes);
                _randomUsed = 0;
            }

            var random = BitConverter.ToUInt32(_randomBytes, _randomUsed);
            _randomUsed += sizeof(uint);
            if (random != 0)
            {
                return random; // 0 is the zero-filled form's
            }
        }
    }

    /// <summary>The clock, which never runs backwards within a process.</summary>
    private long Now() => _lastTime = Math.Max(_lastTime, UnixMicroseconds.From(_time.GetUtcNow()));
}
