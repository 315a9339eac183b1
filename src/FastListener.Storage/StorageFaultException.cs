namespace FastListener.Storage;

/// <summary>Why the store could not keep something.</summary>
public enum StorageFaultKind
{
    /// <summary>The disk failed, or answered something nobody expected.</summary>
    InputOutput,

    /// <summary>No space (or quota) left.</summary>
    DiskFull,

    /// <summary>The file system is mounted read-only, or writing is not permitted.</summary>
    ReadOnly,

    /// <summary>The store is shutting down.</summary>
    Stopping,

    /// <summary>The object a late attachment is for no longer exists.</summary>
    ObjectGone,

    /// <summary>The object a late attachment is for has as many payloads as <see cref="Submission.MaxPayloadsOfObject"/> allows.</summary>
    ObjectFull,

    /// <summary>The submission says more about itself than a record holds: <see cref="StoreOptions.MaxMetadataBytes"/>.</summary>
    TooMuchMetadata,
}

/// <summary>
/// Something was not stored. What was acknowledged before stays true; what this is thrown for must not be acknowledged.
/// The store keeps running and recovers by itself when the cause goes away.
/// </summary>
public sealed class StorageFaultException : IOException
{
    /// <summary>A fault with its cause.</summary>
    public StorageFaultException(StorageFaultKind kind, string message, Exception? inner = null)
        : base(message, inner) => Kind = kind;

    /// <summary>What kind of trouble it is.</summary>
    public StorageFaultKind Kind { get; }
}

/// <summary>Another process has this data directory, and cannot share it.</summary>
public sealed class StoreBusyException : IOException
{
    /// <summary>Names the directory.</summary>
    public StoreBusyException(string dataDirectory)
        : base($"The data directory {dataDirectory} is in use by another process.") => DataDirectory = dataDirectory;

    /// <summary>The directory that is taken.</summary>
    public string DataDirectory { get; }
}

/// <summary>A data directory that this version cannot use: there is no store in it, its catalog is damaged, or a newer version wrote it.</summary>
public sealed class StoreUnusableException : IOException
{
    /// <summary>Says why.</summary>
    public StoreUnusableException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>A payload whose bytes were given up as they came: there is nothing to read, and nothing is damaged.</summary>
public sealed class PayloadNotKeptException : IOException
{
    /// <summary>Says why they were not kept.</summary>
    public PayloadNotKeptException(string reason)
        : base($"The bytes of this payload were not kept: {reason}") => Reason = reason;

    /// <summary>Why they were not kept.</summary>
    public string Reason { get; }
}
