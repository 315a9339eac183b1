namespace FastListener.Storage;

/// <summary>
/// The seam between the store and the disk: every call that changes packs, payload files or directories goes through here, so that tests can fail any of
/// them or forget what was not synced. (The catalog is SQLite's and keeps its own files.) Calls block. Failures are <see cref="StorageFaultException"/>.
/// </summary>
public abstract class StorageDevice
{
    /// <summary>Creates a file that must not exist. <paramref name="direct"/> asks for unbuffered writes; the file says whether it got them.</summary>
    public abstract StorageFile Create(string path, bool direct);

    /// <summary>Opens an existing file to cut or extend it.</summary>
    public abstract StorageFile OpenExisting(string path);

    /// <summary>Creates a directory; true when it did not exist. The parent must be synced by the caller.</summary>
    public abstract bool CreateDirectory(string path);

    /// <summary>Makes names created, renamed or removed in the directory durable.</summary>
    public abstract void SyncDirectory(string path);

    /// <summary>Moves a file within the file system; an existing target is replaced.</summary>
    public abstract void Rename(string source, string target);

    /// <summary>Removes a file; a missing one is not an error.</summary>
    public abstract void Delete(string path);

    /// <summary>Removes an empty directory; a missing one is not an error.</summary>
    public abstract void DeleteDirectory(string path);

    /// <summary>True when files in the directory can be written unbuffered.</summary>
    public abstract bool SupportsDirect(string directory);

    /// <summary>The size of the file system that holds the directory, and what of it this process can still fill, in bytes.</summary>
    public abstract (long Total, long Free) Space(string directory);

    /// <summary>How many files (inodes) that file system can hold, and how many more this process can still make. Total 0: it does not count them.</summary>
    public abstract (long Total, long Free) Files(string directory);
}

/// <summary>A file open for writing. One thread at a time.</summary>
public abstract class StorageFile : IDisposable
{
    /// <summary>True when writes go past the page cache: offsets, lengths and memory must then be multiples of 4,096.</summary>
    public bool IsDirect { get; protected set; }

    /// <summary>Goes back to buffered writes for the rest of the file's life.</summary>
    public abstract void BecomeBuffered();

    /// <summary>Writes all of the bytes.</summary>
    public abstract void Write(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>Makes the file's bytes and length durable.</summary>
    public abstract void SyncData();

    /// <summary>Cuts or extends the file.</summary>
    public abstract void SetLength(long length);

    /// <summary>Makes the file at least so long, with every block up to there allocated: what is written over them needs no space any more.</summary>
    public abstract void Allocate(long length);

    /// <summary>Asks the kernel to start writing a range back. A hint: never fails.</summary>
    public abstract void StartWriteBack(long offset, long length);

    /// <summary>Waits for a range to be written back and drops it from the page cache. Says nothing about durability, but fails when write-back failed: nobody else will hear of it.</summary>
    public abstract void DropBehind(long offset, long length);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the file.</summary>
    protected abstract void Dispose(bool disposing);
}
