namespace FastListener.Storage;

/// <summary>How far a long job has come.</summary>
/// <param name="Stage">What it is doing, in a word or two.</param>
/// <param name="Done">Units done, in the stage's unit.</param>
/// <param name="Total">Units in all; 0 when not known.</param>
/// <param name="Bytes">Bytes read or copied so far.</param>
public readonly record struct UpkeepProgress(string Stage, long Done, long Total, long Bytes);

/// <summary>Something stored that does not read back as it was committed.</summary>
/// <param name="ObjectId">The object.</param>
/// <param name="Rxid">Its <c>_rxid</c>.</param>
/// <param name="PayloadIndex">The payload; -1 when it is the object's record.</param>
/// <param name="Location">Where, relative to the data directory.</param>
/// <param name="Problem">What is wrong.</param>
public sealed record Damage(long ObjectId, string Rxid, int PayloadIndex, string Location, string Problem);

/// <summary>What verification found.</summary>
/// <param name="Objects">Objects read.</param>
/// <param name="Payloads">Payloads read, late attachments included.</param>
/// <param name="Omitted">Payloads whose bytes were given up when they came, so that there is nothing to read.</param>
/// <param name="Bytes">Payload bytes read.</param>
/// <param name="Damaged">Everything that is not as it was committed; empty means every byte is right.</param>
public sealed record VerificationReport(long Objects, long Payloads, long Omitted, long Bytes, IReadOnlyList<Damage> Damaged)
{
    /// <summary>True when every committed byte reads back as committed.</summary>
    public bool IsClean => Damaged.Count == 0;
}

/// <summary>What salvage found.</summary>
/// <param name="Packs">Packs read.</param>
/// <param name="Objects">Objects in the new catalog.</param>
/// <param name="LateAttachments">Late attachments in the new catalog.</param>
/// <param name="Unconfirmed">Of both, of how many no commit could be proved; they are marked in every listing.</param>
/// <param name="Skipped">Places in packs that could not be read whole, or hold what was found before, with the reason: what they held may be missing.</param>
/// <param name="Notes">What else was amiss, without a loss.</param>
/// <param name="OldCatalog">Where the catalog that was there lies now; null when there was none.</param>
public sealed record SalvageReport(
    int Packs, long Objects, long LateAttachments, long Unconfirmed, IReadOnlyList<string> Skipped, IReadOnlyList<string> Notes, string? OldCatalog);

/// <summary>What a backup copied.</summary>
/// <param name="Objects">Objects in the copy.</param>
/// <param name="Packs">Packs copied.</param>
/// <param name="Files">Large payloads copied.</param>
/// <param name="Bytes">Bytes copied, the catalog included.</param>
/// <param name="Missing">A line for every pack and payload file that was not there, or not whole: the copy lacks as much of it.</param>
public sealed record BackupReport(long Objects, int Packs, long Files, long Bytes, IReadOnlyList<string> Missing)
{
    /// <summary>True when everything that the catalog names could be copied.</summary>
    public bool IsComplete => Missing.Count == 0;
}
