namespace FastListener.Storage;

/// <summary>How much room a store's file system has, in bytes. All zero: not known.</summary>
/// <param name="Total">Its size.</param>
/// <param name="Free">What can still be written.</param>
/// <param name="Reserve">What is held back for the catalog, and not free.</param>
/// <param name="IsFull">The reserve had to be given up; nothing new is stored until there is room for twice as much.</param>
public readonly record struct DiskSpace(long Total, long Free, long Reserve, bool IsFull);
