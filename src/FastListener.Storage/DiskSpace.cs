namespace FastListener.Storage;

/// <summary>How much room a store's file system has, in bytes. All zero: not known.</summary>
/// <param name="Total">Its size.</param>
/// <param name="Free">What can still be written.</param>
/// <param name="Reserve">What is held back for the catalog, and not free.</param>
/// <param name="IsFull">The reserve had to be given up; nothing new is stored until there is room for twice as much.</param>
/// <param name="Files">How many files it can hold at all (inodes). Zero: it does not count them, or not known.</param>
/// <param name="FreeFiles">How many more can be made.</param>
public readonly record struct DiskSpace(long Total, long Free, long Reserve, bool IsFull, long Files = 0, long FreeFiles = 0)
{
    /// <summary>No file can be made, however many bytes are free: large payloads, which have files of their own, are refused.</summary>
    public bool IsOutOfFiles => Files > 0 && FreeFiles == 0;
}
