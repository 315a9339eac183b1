using FastListener.Storage.Devices;
using Microsoft.Extensions.Logging;

namespace FastListener.Storage.Payloads;

/// <summary>
/// The threads that do the blocking disk calls of large payloads, so that no thread-pool thread does, and what those files share: buffers,
/// device, directories known to be durable. Threads start with the first large payload.
/// </summary>
/// <remarks>
/// What waits for a write goes on with the thread that did it, so that an upload whose bytes are there is received, parsed and written by one
/// thread: two wake-ups less for each buffer, which is in that core's cache. It makes way for files that wait (<see cref="MayRunHere"/>).
/// </remarks>
internal sealed class FileQueue : IDisposable
{
    [ThreadStatic]
    private static FileQueue? t_current;

    private readonly Lock _directories = new();
    private readonly bool[] _durable = new bool[256];
    private readonly object _gate = new();
    private readonly Queue<PayloadFile> _waiting = new();
    private readonly List<Thread> _threads = [];
    private readonly StoreOptions _options;
    private int _idle; // threads that wait and were not woken
    private int _queued; // the length of _waiting, for those without the gate
    private bool _stopping;

    public FileQueue(StoreOptions options, StoreLayout layout, StorageDevice device, uint instance, DiskReserve reserve, ILogger logger)
    {
        _options = options;
        Layout = layout;
        Device = device;
        Instance = instance;
        Reserve = reserve;
        Logger = logger;
        Buffers = new(options.LargeBufferBytes, options.LargeBufferMemoryBytes);
    }

    public AlignedPool Buffers { get; }

    public StorageDevice Device { get; }

    public StoreLayout Layout { get; }

    public uint Instance { get; }

    public DiskReserve Reserve { get; }

    public ILogger Logger { get; }

    public bool Direct => _options.LargeFiles == LargeFileMode.Direct;

    /// <summary>Whether the caller runs on a file thread, of any store, that no file waits for.</summary>
    public static bool OnSpareThread => t_current is { } queue && Volatile.Read(ref queue._queued) == 0;

    /// <summary>Whether the caller runs on one of these threads and no other file waits for it, so that it may do its job at once.</summary>
    public bool MayRunHere => ReferenceEquals(t_current, this) && Volatile.Read(ref _queued) == 0;

    /// <summary>Runs the file's next job on one of the threads; false when they have ended.</summary>
    public bool TryEnqueue(PayloadFile file)
    {
        lock (_gate)
        {
            if (_stopping)
            {
                return false;
            }

            _waiting.Enqueue(file);
            _queued = _waiting.Count;
            if (_idle > 0)
            {
                _idle--; // woken for this file, or for the one before it: not there for the next
                Monitor.Pulse(_gate);
            }
            else if (_threads.Count < _options.FileThreads)
            {
                var thread = new Thread(Work, maxStackSize: 1024 * 1024) { IsBackground = true, Name = "large payloads" };
                _threads.Add(thread);
                thread.Start();
            }

            return true;
        }
    }

    /// <summary>The directory of a payload file, created and durable.</summary>
    public string DirectoryFor(string name)
    {
        var path = Path.GetDirectoryName(Layout.File(name))!;
        var index = Convert.ToByte(name[..2], 16);
        lock (_directories)
        {
            if (!_durable[index])
            {
                // Also when it exists: whoever made it may have died before its name was durable.
                Device.CreateDirectory(path);
                Device.SyncDirectory(Layout.Files);
                _durable[index] = true;
            }
        }

        return path;
    }

    /// <summary>Finishes every job that was queued, then ends the threads.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.PulseAll(_gate);
        }

        foreach (var thread in _threads)
        {
            // Whoever closes the store may have got here with the last upload's end, on one of these threads.
            if (thread != Thread.CurrentThread)
            {
                thread.Join();
            }
        }

        Buffers.Dispose();
    }

    private void Work()
    {
        t_current = this;
        while (true)
        {
            PayloadFile next;
            lock (_gate)
            {
                while (!_waiting.TryDequeue(out next!))
                {
                    if (_stopping)
                    {
                        return;
                    }

                    _idle++;
                    Monitor.Wait(_gate);
                }

                _queued = _waiting.Count;
            }

            next.RunJob();
        }
    }
}
