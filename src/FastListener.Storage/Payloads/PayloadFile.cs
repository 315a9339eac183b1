using System.Threading.Tasks.Sources;

namespace FastListener.Storage.Payloads;

/// <summary>
/// The file of one large payload: filled in full, aligned buffers while the one before is being written, then sealed (cut to length, synced, moved
/// into place, its directory synced). It erases itself unless it is kept. At most one job at a time is under way on the file threads.
/// </summary>
internal sealed class PayloadFile : IValueTaskSource
{
    private const long WindowBytes = 8 * 1024 * 1024;
    private const int Idle = 0;
    private const int Busy = 1;
    private const int BusyThenErase = 2;

    private enum Job
    {
        None,
        Write,
        WriteThrough,
        Seal,
        Erase,
    }

    private readonly FileQueue _queue;
    private ManualResetValueTaskSourceCore<bool> _done; // what waits goes on with the file thread: see FileQueue
    private StorageFile? _file;
    private string _path;
    private AlignedBuffer? _filling;
    private int _filled;
    private AlignedBuffer? _writing;
    private int _writeCount;
    private ReadOnlyMemory<byte> _through;
    private Job _job;
    private int _state;
    private bool _unawaited;
    private long _written;
    private long _writtenBack;

    public PayloadFile(FileQueue queue)
    {
        _queue = queue;
        Name = StoreLayout.NewFileName(queue.Instance);
        _path = Path.Combine(queue.Layout.InstanceStaging(queue.Instance), Name);
    }

    /// <summary>The name it has, or will have, below <c>files/</c>.</summary>
    public string Name { get; }

    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_filling is not null && bytes.Length < _filling.Size - _filled)
        {
            Fill(bytes.Span);
            return default;
        }

        return WriteSlowAsync(bytes);
    }

    /// <summary>Makes the bytes durable, then the name. In that order.</summary>
    public async ValueTask SealAsync()
    {
        await FinishAsync().ConfigureAwait(false);
        Start(Job.Seal);
        await FinishAsync().ConfigureAwait(false);
    }

    /// <summary>Erases the file, wherever it lies, on a file thread. Nothing may be written any more.</summary>
    public void Erase()
    {
        if (Interlocked.CompareExchange(ref _state, BusyThenErase, Busy) == Busy)
        {
            return; // the job under way does it when it ends
        }

        _job = Job.Erase;
        if (!_queue.TryEnqueue(this))
        {
            EraseNow(); // the threads are gone: the store is closed
        }
    }

    internal void RunJob()
    {
        if (_job == Job.Erase)
        {
            EraseNow();
            return;
        }

        StorageFaultException? fault = null;
        try
        {
            Run(_job);
        }
        catch (Exception exception)
        {
            fault = exception as StorageFaultException ?? new StorageFaultException(StorageFaultKind.InputOutput, exception.Message, exception);
        }

        ReturnBuffer(ref _writing);
        if (Interlocked.CompareExchange(ref _state, Idle, Busy) == BusyThenErase)
        {
            EraseNow();
        }

        if (fault is null)
        {
            _done.SetResult(true);
        }
        else
        {
            _done.SetException(fault);
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        _unawaited = false;
        _done.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _done.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _done.OnCompleted(continuation, state, token, flags);

    private async ValueTask WriteSlowAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_filling is null && (_filling = _queue.Buffers.TryRent()) is null)
            {
                await FinishAsync().ConfigureAwait(false); // gives the buffer of our own write back
                if ((_filling = _queue.Buffers.TryRent()) is null)
                {
                    _through = bytes;
                    Start(Job.WriteThrough);
                    await FinishAsync().ConfigureAwait(false);
                    return;
                }
            }

            var count = Math.Min(bytes.Length, _filling.Size - _filled);
            Fill(bytes.Span[..count]);
            bytes = bytes[count..];
            if (_filled == _filling.Size)
            {
                await FinishAsync().ConfigureAwait(false);
                TakeFilling();
                Start(Job.Write);
            }
        }
    }

    private void Fill(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_filling!.Span[_filled..]);
        _filled += bytes.Length;
    }

    private void Start(Job job)
    {
        _done.Reset();
        _job = job;
        _state = Busy;
        _unawaited = true;
        if (_queue.MayRunHere)
        {
            RunJob();
        }
        else if (!_queue.TryEnqueue(this))
        {
            _state = Idle;
            _unawaited = false;
            throw new StorageFaultException(StorageFaultKind.Stopping, "The store is closed.");
        }
    }

    /// <summary>Waits for the job under way, if there is one, and throws what it threw.</summary>
    private ValueTask FinishAsync() => _unawaited ? new(this, _done.Version) : default;

    private void TakeFilling()
    {
        (_writing, _writeCount) = (_filling, _filled);
        (_filling, _filled) = (null, 0);
    }

    private void Run(Job job)
    {
        _queue.Reserve.ThrowIfFull();
        _file ??= _queue.Device.Create(_path, _queue.Direct);
        switch (job)
        {
            case Job.Write:
                Write(_writing!.Span[.._writeCount]);
                break;
            case Job.WriteThrough:
                _file.BecomeBuffered();
                Write(_through.Span);
                _through = default;
                break;
            case Job.Seal:
                Seal();
                break;
        }
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _file!.Write(bytes, _written);
        _written += bytes.Length;
        if (_file.IsDirect)
        {
            return;
        }

        // One window is being written back while the next one fills; the one before it leaves the page cache.
        while (_written - _writtenBack >= WindowBytes)
        {
            _file.StartWriteBack(_writtenBack, WindowBytes);
            if (_writtenBack >= WindowBytes)
            {
                _file.DropBehind(_writtenBack - WindowBytes, WindowBytes);
            }

            _writtenBack += WindowBytes;
        }
    }

    private void Seal()
    {
        if (_filled > 0)
        {
            TakeFilling();
            var length = _written + _writeCount;
            if (_file!.IsDirect)
            {
                var padded = (int)Packs.PackLayout.Align(_writeCount);
                _writing!.Span[_writeCount..padded].Clear();
                _file.Write(_writing.Span[..padded], _written);
                _file.SetLength(length);
            }
            else
            {
                _file.Write(_writing!.Span[.._writeCount], _written);
            }
        }

        _file!.SyncData();
        CloseFile();
        var directory = _queue.DirectoryFor(Name);
        var target = _queue.Layout.File(Name);
        _queue.Device.Rename(_path, target);
        _path = target;
        _queue.Device.SyncDirectory(directory); // the name must survive, too
    }

    private void EraseNow()
    {
        try
        {
            ReturnBuffer(ref _filling);
            CloseFile();
            _queue.Device.Delete(_path);
        }
        catch (Exception fault)
        {
            StoreLog.EraseFailed(_queue.Logger, _path, fault); // recovery finds it; the end of a file thread would be the process's
        }
    }

    private void CloseFile()
    {
        _file?.Dispose();
        _file = null;
    }

    private void ReturnBuffer(ref AlignedBuffer? place)
    {
        if (Interlocked.Exchange(ref place, null) is { } buffer)
        {
            _queue.Buffers.Return(buffer);
        }
    }
}
