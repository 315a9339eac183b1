namespace FastListener.Storage;

/// <summary>
/// Reads a data directory, also while a server writes to it: every call uses short read transactions and sees what was committed
/// when it began. Not thread-safe; open one per thread.
/// </summary>
public sealed class StoreReader : IDisposable
{
    private StoreReader()
    {
    }

    /// <summary>Opens a data directory for reading. Throws <see cref="StoreUnusableException"/> when there is no store in it or it cannot be read.</summary>
    public static StoreReader Open(string dataDirectory) => throw new NotSupportedException(dataDirectory);

    /// <summary>Objects, newest first.</summary>
    public IEnumerable<ObjectSummary> List(ObjectQuery query) => throw new NotSupportedException(query.ToString());

    /// <summary>The object that all of the reference fits, whatever its project; null when there is none.</summary>
    public ObjectDetails? Find(ObjectReference reference) => throw new NotSupportedException(reference.ToString());

    /// <summary>Every object with its details, oldest id first.</summary>
    public IEnumerable<ObjectDetails> All() => throw new NotSupportedException();

    /// <summary>A payload's bytes, from the first to the last. The stream can seek; the caller disposes it. Checksums are not checked on this path.</summary>
    public Stream OpenPayload(PayloadInfo payload) => throw new NotSupportedException(payload.Name);

    /// <summary>Closes the catalog and the packs.</summary>
    public void Dispose() => GC.SuppressFinalize(this);
}
