using System.Collections.Concurrent;
using FastListener.Storage.Catalog;
using FastListener.Storage.Commit;
using FastListener.Storage.Devices;
using FastListener.Storage.Packs;
using FastListener.Storage.Payloads;
using Microsoft.Extensions.Logging;

namespace FastListener.Storage;

/// <summary>
/// The durable store of one data directory. Several processes may have it open for writing, each with packs and staging of its own, so that one can
/// take over from another; any number read it (<see cref="StoreReader"/>).
/// All members may be called from any thread.
/// </summary>
public sealed class ObjectStore : IAsyncDisposable
{
    private static readonly TimeSpan ReserveInterval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<(string Universe, string Project), ProjectKey> _projects = new();
    private readonly StoreInstance _instance;
    private readonly StorageDevice _device;
    private readonly FileQueue _files;
    private readonly SubmissionPool _submissions;
    private readonly CatalogLookups _lookups;
    private readonly Books _books;
    private readonly CommitTarget _target;
    private readonly Committer _committer;
    private readonly TimeProvider _time;
    private readonly ITimer _reserveTimer;
    private int _disposed;

    private ObjectStore(StoreInstance instance, StoreOptions options, ILogger logger, TimeProvider time, StorageDevice device)
    {
        _instance = instance;
        _device = device;
        _time = time;
        _files = new(options, instance.Layout, device, instance.Id, instance.Reserve, logger);
        var accounts = new Accounts();
        _books = new(accounts);
        _submissions = new(options, _files, accounts, time);
        _lookups = new(instance.Layout.Catalog);
        foreach (var (id, names) in _lookups.AllProjects())
        {
            _projects.TryAdd(names, new ProjectKey(names.Universe, names.Project) { Id = id });
        }

        var direct = options.DirectPacks && device.SupportsDirect(instance.Layout.InstanceStaging(instance.Id));
        if (options.DirectPacks && !direct)
        {
            StoreLog.NoDirectWrites(logger, instance.Layout.Data);
        }

        _target = new(options, instance.Layout, device, instance.Id, direct, instance.Catalog, _books, instance.Reserve, logger);
        _committer = new(options, _target, time, logger);
        instance.Reserve.Keep();
        _reserveTimer = time.CreateTimer(static reserve => ((DiskReserve)reserve!).Keep(), instance.Reserve, ReserveInterval, ReserveInterval);
    }

    /// <summary>
    /// Whether the caller goes on with a thread that wrote a large payload and that nobody else waits for at the moment: it may stay. On any other thread,
    /// work without end must give others their turn.
    /// </summary>
    public static bool OnSpareFileThread => FileQueue.OnSpareThread;

    /// <summary>What the store has done so far.</summary>
    public StoreStatistics Statistics
    {
        get
        {
            ref readonly var counters = ref _committer.Counters;
            return new StoreStatistics
            {
                Objects = counters.Objects,
                LateAttachments = counters.LateAttachments,
                PayloadBytes = counters.PayloadBytes,
                LargePayloads = counters.LargePayloads,
                Batches = counters.Batches,
                FailedBatches = counters.FailedBatches,
                FailedSubmissions = counters.FailedSubmissions,
                Queued = _committer.Queued,
                Committing = _committer.Committing,
                PayloadMemory = (long)_submissions.Blocks.InUse * _submissions.Blocks.BlockSize,
                MemorySpills = _submissions.MemorySpills,
                Disk = _instance.Reserve.Space,
                CurrentFault = counters.Fault,
                HasFailed = _committer.Failed.IsCompleted,
            };
        }
    }

    /// <summary>
    /// Completes when a defect, not a disk, has ended the store: nothing more is stored, whatever is submitted fails with
    /// <see cref="StorageFaultKind.InputOutput"/>, and only opening it anew, which recovers, helps. What was acknowledged is stored.
    /// </summary>
    public Task Failed => _committer.Failed;

    /// <summary>How long group commits took.</summary>
    public CommitDurations CommitDurations => _committer.Durations;

    internal CommitTarget Target => _target;

    internal DiskReserve Reserve => _instance.Reserve;

    internal StoreInstance Instance => _instance;

    /// <summary>
    /// Takes a share of the directory's lock, creates what is missing, recovers what instances that are gone left, and starts the committer. Never scans
    /// packs. Throws <see cref="StoreBusyException"/> when salvage holds the directory, another's start takes a minute, or a process that knows the
    /// catalog's older format only is still there; <see cref="StoreUnusableException"/> when the catalog
    /// is missing, damaged or newer than this program, and <see cref="StorageFaultException"/> when the disk refuses.
    /// </summary>
    public static Task<ObjectStore> OpenAsync(StoreOptions options, ILogger logger, TimeProvider? time = null, StorageDevice? device = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logger);
        return Task.Run(() => Open(options, logger, time ?? TimeProvider.System, device ?? new LinuxDevice()));
    }

    /// <summary>The project of that name. Cheap after the first call; reaches the catalog with its first object.</summary>
    public ProjectKey Project(string universe, string project) =>
        _projects.GetOrAdd((universe, project), static names => new(names.Universe, names.Project));

    /// <summary>An entry of the ledger, for the requests of one connection, one after the other.</summary>
    public LedgerEntry NewEntry() => new(_books);

    /// <summary>Books now what waits for the ledger, instead of within seconds. False when that failed: then it waits on. Does not end while the disk hangs.</summary>
    public Task<bool> WriteLedgerAsync() => _committer.WriteBooksAsync();

    /// <summary>Begins a submission. Dispose it unless it was given to <see cref="CommitAsync"/>; disposing it then does nothing.</summary>
    public Submission Begin() => _submissions.Begin();

    /// <summary>
    /// Takes ownership of the submission, whatever happens, and completes when it is durable: pack synced, catalog committed.
    /// Throws <see cref="StorageFaultException"/> when it is not; then nothing of it may be acknowledged. Await it exactly once, at once.
    /// </summary>
    public ValueTask<Receipt> CommitAsync(Submission submission)
    {
        ArgumentNullException.ThrowIfNull(submission);
        var receipt = submission.HandOver();
        return _committer.Queue.TryWrite(submission) ? receipt : EnqueueAsync(submission, receipt);
    }

    /// <summary>
    /// Finds the committed object that all of the reference fits and that belongs to the project. Reads the catalog (usually memory) on the caller's thread.
    /// Throws <see cref="StorageFaultException"/> when the catalog cannot be read.
    /// </summary>
    public bool TryResolve(ObjectReference reference, ProjectKey project, out long objectId)
    {
        ArgumentNullException.ThrowIfNull(project);
        if (_lookups.TryResolve(reference, out objectId, out var projectId) && (project.Id != 0 ? projectId == project.Id : IsNamed(projectId, project)))
        {
            return true;
        }

        objectId = 0;
        return false;
    }

    /// <summary>Lets go of payload memory that is only kept to be used again. The garbage collector gives it back.</summary>
    public void TrimMemory() => _submissions.Blocks.Trim();

    /// <summary>
    /// Whether the disk takes bytes: writes a small file beside those of uploads, syncs it and removes it. Blocks for as long as the disk does.
    /// </summary>
    public bool TestWrite()
    {
        var path = Path.Combine(_instance.Layout.InstanceStaging(_instance.Id), $"test-{Guid.NewGuid():N}");
        try
        {
            try
            {
                using var file = _device.Create(path, direct: false);
                file.Write(new byte[4096], 0);
                file.SyncData();
            }
            finally
            {
                _device.Delete(path);
            }

            return true;
        }
        catch (StorageFaultException)
        {
            return false;
        }
    }

    /// <summary>Commits what is queued, closes everything cleanly. Submissions that come later fail with <see cref="StorageFaultKind.Stopping"/>.</summary>
    public ValueTask DisposeAsync() =>
        Interlocked.Exchange(ref _disposed, 1) == 0 ? new(Task.Run(Close)) : default;

    private static ObjectStore Open(StoreOptions options, ILogger logger, TimeProvider time, StorageDevice device)
    {
        var instance = StoreInstance.Open(options, device, UnixMicroseconds.From(time.GetUtcNow()), logger);
        try
        {
            return new(instance, options, logger, time, device);
        }
        catch
        {
            instance.Dispose();
            throw;
        }
    }

    /// <summary>A project that another process gave its id since we started is known by its name only, until we commit to it ourselves.</summary>
    private bool IsNamed(int projectId, ProjectKey project) =>
        _lookups.AllProjects().TryGetValue(projectId, out var names) && names == (project.Universe, project.Project);

    private async ValueTask<Receipt> EnqueueAsync(Submission submission, ValueTask<Receipt> receipt)
    {
        try
        {
            await _committer.Queue.WriteAsync(submission, CancellationToken.None).ConfigureAwait(false);
        }
        catch (System.Threading.Channels.ChannelClosedException closed)
        {
            submission.Fail(closed.InnerException is { } defect
                ? new StorageFaultException(StorageFaultKind.InputOutput, "The store has failed; it must be opened anew.", defect)
                : new StorageFaultException(StorageFaultKind.Stopping, "The store is closed."));
        }

        return await receipt.ConfigureAwait(false);
    }

    private void Close()
    {
        _reserveTimer.Dispose();
        _committer.Stop();
        var clean = !Failed.IsCompleted && _target.Close(UnixMicroseconds.From(_time.GetUtcNow())); // after a defect recovery is the one to trust
        _committer.Dispose();
        _target.Dispose();
        _files.Dispose();
        _lookups.Dispose();
        _instance.End(clean);
    }
}
