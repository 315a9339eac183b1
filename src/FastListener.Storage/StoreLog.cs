using Microsoft.Extensions.Logging;

namespace FastListener.Storage;

// Event ids 500-599 belong to storage. Next free: 528. Ids are never reused.
internal static partial class StoreLog
{
    [LoggerMessage(500, LogLevel.Warning, "Could not erase {Path}; recovery will find it")]
    public static partial void EraseFailed(ILogger logger, string path, Exception cause);

    [LoggerMessage(501, LogLevel.Error, "A batch of {Count} submissions was not stored ({Kind}); pack {Pack} is not written any further")]
    public static partial void BatchFailed(ILogger logger, int count, StorageFaultKind kind, long pack, Exception cause);

    [LoggerMessage(502, LogLevel.Information, "Storing works again after {Failures} failed batches")]
    public static partial void FaultCleared(ILogger logger, long failures);

    [LoggerMessage(503, LogLevel.Warning, "The catalog was closed after a failed commit; it is opened anew with the next batch")]
    public static partial void CatalogDropped(ILogger logger, Exception cause);

    [LoggerMessage(504, LogLevel.Warning, "The catalog could not be checkpointed")]
    public static partial void CheckpointFailed(ILogger logger, Exception cause);

    [LoggerMessage(505, LogLevel.Information, "Recovering after {Instances} instances that ended without saying goodbye")]
    public static partial void Recovering(ILogger logger, int instances);

    [LoggerMessage(506, LogLevel.Information, "Cut pack {Pack} from {From} to {To} bytes: what lay beyond was never committed")]
    public static partial void PackCut(ILogger logger, long pack, long from, long to);

    [LoggerMessage(507, LogLevel.Warning, "Moved {Name} to orphans/: no committed object names it")]
    public static partial void Orphaned(ILogger logger, string name);

    [LoggerMessage(508, LogLevel.Warning, "Pack {Pack} could not be closed cleanly; recovery will do it")]
    public static partial void PackCloseFailed(ILogger logger, long pack, Exception cause);

    [LoggerMessage(509, LogLevel.Warning, "The file system of {Directory} refuses unbuffered writes: packs are written through the page cache")]
    public static partial void NoDirectWrites(ILogger logger, string directory);

    [LoggerMessage(510, LogLevel.Critical, "The committer ended unexpectedly; nothing more will be stored until a restart")]
    public static partial void CommitterDied(ILogger logger, Exception cause);

    [LoggerMessage(511, LogLevel.Error, "Pack {Pack} is {Length} bytes long but {Committed} are committed: objects are missing; run verify")]
    public static partial void PackTooShort(ILogger logger, long pack, long length, long committed);

    [LoggerMessage(512, LogLevel.Warning, "Could not write ahead in pack {Pack}; it ends, and lone submissions are slower for a minute")]
    public static partial void NoRunway(ILogger logger, long pack, Exception cause);

    [LoggerMessage(513, LogLevel.Warning, "The last batch of pack {Pack}, from {From} to {To} bytes, did not survive whole: it was written when the power went, or has rotted since, and is forgotten")]
    public static partial void LastBatchUndone(ILogger logger, long pack, long from, long to);

    [LoggerMessage(514, LogLevel.Error, "The answer for object {ObjectId}, which is stored, could not be given")]
    public static partial void AnswerFailed(ILogger logger, long objectId, Exception cause);

    [LoggerMessage(515, LogLevel.Error, "A failed batch of pack {Pack} could not be put in order; recovery does it at the next start")]
    public static partial void AbandonFailed(ILogger logger, long pack, Exception cause);

    [LoggerMessage(516, LogLevel.Debug, "A further batch of {Count} submissions was not stored ({Kind})")]
    public static partial void BatchFailedAgain(ILogger logger, int count, StorageFaultKind kind, Exception cause);

    [LoggerMessage(517, LogLevel.Warning, "The disk runs short: {Free} of {Total} MiB are free in {Directory}")]
    public static partial void SpaceLow(ILogger logger, long free, long total, string directory);

    [LoggerMessage(518, LogLevel.Information, "The disk has room again: {Free} MiB are free")]
    public static partial void SpaceBack(ILogger logger, long free);

    [LoggerMessage(523, LogLevel.Warning, "The disk runs short of files: {Free} of {Total} inodes are free in {Directory}")]
    public static partial void FilesLow(ILogger logger, long free, long total, string directory);

    [LoggerMessage(524, LogLevel.Information, "The disk can hold further files again: {Free} inodes are free")]
    public static partial void FilesBack(ILogger logger, long free);

    [LoggerMessage(519, LogLevel.Error, "The disk is full: {Given} MiB of reserve were given up so that the catalog can be written; nothing new is stored until {Needed} MiB are free")]
    public static partial void ReserveGivenUp(ILogger logger, long given, long needed);

    [LoggerMessage(520, LogLevel.Information, "The disk is no longer full: {Free} MiB are free, and submissions are stored again")]
    public static partial void NoLongerFull(ILogger logger, long free);

    [LoggerMessage(521, LogLevel.Warning, "The reserve of {Bytes} bytes could not be changed; it is tried again")]
    public static partial void ReserveFailed(ILogger logger, long bytes, Exception cause);

    [LoggerMessage(522, LogLevel.Warning, "The space left in {Directory} could not be asked for")]
    public static partial void SpaceUnknown(ILogger logger, string directory, Exception cause);

    [LoggerMessage(525, LogLevel.Error, "Pack {Pack} cannot be read; verify tells what of it still can")]
    public static partial void PackUnreadable(ILogger logger, long pack, Exception cause);

    [LoggerMessage(526, LogLevel.Error, "{Name} could not be kept in orphans/")]
    public static partial void NotKept(ILogger logger, string name, Exception cause);

    [LoggerMessage(527, LogLevel.Warning, "What pack {Pack} holds from {From} bytes on, which is cut off, was copied to orphans/{Name}")]
    public static partial void CutOffKept(ILogger logger, long pack, long from, string name);
}
