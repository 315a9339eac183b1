using Microsoft.Extensions.Logging;

namespace FastListener.Storage;

/// <summary>
/// The durable store of one data directory. One process at a time opens it for writing; any number read it (<see cref="StoreReader"/>).
/// All members may be called from any thread.
/// </summary>
public sealed class ObjectStore : IAsyncDisposable
{
    internal ObjectStore()
    {
    }

    /// <summary>
    /// Takes the directory's lock, creates what is missing, recovers what a crash left, and starts the committer. Never scans packs.
    /// Throws <see cref="StoreBusyException"/> when another process holds the directory, <see cref="StoreUnusableException"/> when the catalog
    /// is damaged or newer than this program, and <see cref="StorageFaultException"/> when the disk refuses.
    /// </summary>
    public static Task<ObjectStore> OpenAsync(StoreOptions options, ILogger logger, TimeProvider? time = null, StorageDevice? device = null) =>
        throw new NotSupportedException(options.ToString() + logger + time + device);

    /// <summary>The project of that name. Cheap after the first call; reaches the catalog with its first object.</summary>
    public ProjectKey Project(string universe, string project) => throw new NotSupportedException(universe + project);

    /// <summary>Begins a submission. Dispose it unless it was given to <see cref="CommitAsync"/>.</summary>
    public Submission Begin() => throw new NotSupportedException();

    /// <summary>
    /// Takes ownership of the submission, whatever happens, and completes when it is durable: pack synced, catalog committed.
    /// Throws <see cref="StorageFaultException"/> when it is not; then nothing of it may be acknowledged. Await it exactly once, at once.
    /// </summary>
    public ValueTask<Receipt> CommitAsync(Submission submission) => throw new NotSupportedException(submission.ToString());

    /// <summary>
    /// Finds the committed object that all of the reference fits and that belongs to the project. Reads the catalog (usually memory) on the caller's thread.
    /// Throws <see cref="StorageFaultException"/> when the catalog cannot be read.
    /// </summary>
    public bool TryResolve(ObjectReference reference, ProjectKey project, out long objectId) =>
        throw new NotSupportedException(reference.ToString() + project + (objectId = 0));

    /// <summary>What the store has done so far.</summary>
    public StoreStatistics Statistics => default;

    /// <summary>Commits what is queued, closes everything cleanly. Submissions that come later fail with <see cref="StorageFaultKind.Stopping"/>.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
