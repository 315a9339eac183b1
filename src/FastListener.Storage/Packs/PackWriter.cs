using FastListener.Storage.Payloads;
using Microsoft.Extensions.Logging;

namespace FastListener.Storage.Packs;

/// <summary>
/// The pack being written. It ends where the catalog says it ends; after a failed write or sync it is never written again. Used by the committer
/// only; a thread of its own makes the blocking calls that may run beside the catalog's.
/// </summary>
internal sealed class PackWriter : IDisposable
{
    private const int RunwayStep = 1024 * 1024;
    private const int RunwayLeast = 128 * 1024;
    private const int WrittenByCaller = 256 * 1024; // below this another thread would not have begun before the write is done

    private readonly StoreLayout _layout;
    private readonly StorageDevice _device;
    private readonly uint _instance;
    private readonly bool _direct;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly object _gate = new();
    private Step _step = Step.Idle; // under the gate, like the fault
    private StorageFile? _file;
    private AlignedBuffer? _zeros;
    private BatchBytes _batch;
    private StorageFaultException? _fault;
    private bool _stopping;
    private long _writtenEnd;
    private long _runwayEnd;

    /// <summary>How far the batch under way has come.</summary>
    private enum Step
    {
        Idle,
        ToWrite,
        ToSync,
    }

    public PackWriter(StoreLayout layout, StorageDevice device, uint instance, bool direct, ILogger logger)
    {
        _layout = layout;
        _device = device;
        _instance = instance;
        _direct = direct;
        _logger = logger;
        _thread = new Thread(Run, maxStackSize: 256 * 1024) { IsBackground = true, Name = "pack" };
        _thread.Start();
    }

    /// <summary>True when a batch can be appended.</summary>
    public bool IsOpen => _file is not null;

    /// <summary>The pack's id, also after it was closed.</summary>
    public long Pack { get; private set; }

    /// <summary>Where the next batch goes: the committed end.</summary>
    public long End { get; private set; }

    /// <summary>True once the catalog has a row for it.</summary>
    public bool HasCommits => End > PackLayout.FileHeaderSize;

    /// <summary>Creates a pack. Its header becomes durable with its first batch, its name before that.</summary>
    public void Create(long pack, long now)
    {
        Pack = pack;
        End = _writtenEnd = _runwayEnd = PackLayout.FileHeaderSize;
        var path = _layout.Pack(pack);
        var file = _device.Create(path, _direct);
        try
        {
            using var header = new AlignedBuffer(PackLayout.FileHeaderSize);
            PackLayout.WriteFileHeader(header.Span, pack, _instance, now);
            file.Write(header.Span, 0);
            _device.SyncDirectory(_layout.Packs);
        }
        catch
        {
            file.Dispose();
            _device.Delete(path);
            throw;
        }

        _file = file;
    }

    /// <summary>
    /// Begins to write a batch at <see cref="End"/> and to make it durable. Its memory stays in use until <see cref="WaitDurable"/> or <see cref="Settle"/>.
    /// </summary>
    public void Begin(BatchBytes batch)
    {
        _writtenEnd = End + batch.Length;
        var writtenHere = batch.Length <= WrittenByCaller;
        if (writtenHere)
        {
            _file!.Write(batch.Span, End);
        }

        lock (_gate)
        {
            _batch = batch;
            _fault = null;
            _step = writtenHere ? Step.ToSync : Step.ToWrite;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until the batch lies where readers look for it. Not yet durable.</summary>
    public void WaitWritten()
    {
        lock (_gate)
        {
            while (_step is Step.ToWrite)
            {
                Monitor.Wait(_gate);
            }

            ThrowFault();
        }
    }

    /// <summary>Waits until the batch is durable; throws when it is not.</summary>
    public void WaitDurable()
    {
        lock (_gate)
        {
            WaitIdle();
            ThrowFault();
        }
    }

    /// <summary>Waits until nothing is under way. False when the batch that was did not become durable.</summary>
    public bool Settle()
    {
        lock (_gate)
        {
            WaitIdle();
            return _fault is null;
        }
    }

    /// <summary>The catalog has committed the batch, and it is durable.</summary>
    public void Confirm() => End = _writtenEnd;

    /// <summary>
    /// Writes zeros ahead of the end, durably, while nobody waits. A batch written over them changes neither the file's length nor its map of blocks,
    /// so its sync has only the bytes to make durable: a lone submission is what profits.
    /// </summary>
    public void ExtendRunway()
    {
        if (_file is null || _runwayEnd - End >= RunwayLeast)
        {
            return;
        }

        if (_zeros is null)
        {
            _zeros = new(RunwayStep / 4);
            _zeros.Span.Clear();
        }

        var start = Math.Max(_runwayEnd, End);
        for (var written = 0; written < RunwayStep; written += _zeros.Size)
        {
            _file.Write(_zeros.Span, start + written);
        }

        _file.SyncData();
        _runwayEnd = start + RunwayStep;
    }

    /// <summary>Ends the pack for good at the end the catalog knows. Returns false when the disk did not let us; recovery does it then.</summary>
    public bool Close(long now)
    {
        Settle();
        if (_file is not { } file)
        {
            return true;
        }

        _file = null;
        try
        {
            using (file)
            {
                Finish(file, Pack, End, now);
            }

            if (!HasCommits)
            {
                _device.Delete(_layout.Pack(Pack));
            }

            return true;
        }
        catch (StorageFaultException fault)
        {
            StoreLog.PackCloseFailed(_logger, Pack, fault);
            return false;
        }
    }

    /// <summary>Lets go of the pack without touching it: whether its last batch was committed is not known.</summary>
    public void Release()
    {
        Settle();
        _file?.Dispose();
        _file = null;
    }

    public void Dispose()
    {
        Release();
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }

        _thread.Join();
        _zeros?.Dispose();
    }

    /// <summary>Cuts a pack at its committed end and writes the batch of no records that says so.</summary>
    public static void Finish(StorageFile file, long pack, long end, long now)
    {
        file.SetLength(end);
        if (end > PackLayout.FileHeaderSize)
        {
            using var last = new AlignedBuffer(PackLayout.Alignment);
            last.Span.Clear();
            PackLayout.WriteBatchHeader(last.Span, new(pack, end, PackLayout.Alignment, 0, now));
            file.Write(last.Span, end);
        }

        file.SyncData();
    }

    private void WaitIdle()
    {
        while (_step is not Step.Idle)
        {
            Monitor.Wait(_gate);
        }
    }

    /// <summary>A fault of the other thread, thrown on this one.</summary>
    private void ThrowFault()
    {
        if (_fault is { } fault)
        {
            throw new StorageFaultException(fault.Kind, fault.Message, fault);
        }
    }

    private void Run()
    {
        while (true)
        {
            Step step;
            lock (_gate)
            {
                while (_step is Step.Idle)
                {
                    if (_stopping)
                    {
                        return;
                    }

                    Monitor.Wait(_gate);
                }

                step = _step;
            }

            StorageFaultException? fault = null;
            try
            {
                if (step is Step.ToWrite)
                {
                    _file!.Write(_batch.Span, End);
                }
                else
                {
                    _file!.SyncData();
                }
            }
            catch (Exception exception)
            {
                fault = exception as StorageFaultException ?? new StorageFaultException(StorageFaultKind.InputOutput, exception.Message, exception);
            }

            lock (_gate)
            {
                _fault = fault;
                _step = step is Step.ToWrite && fault is null ? Step.ToSync : Step.Idle;
                Monitor.PulseAll(_gate);
            }
        }
    }
}
