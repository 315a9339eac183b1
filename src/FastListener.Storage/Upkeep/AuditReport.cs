namespace FastListener.Storage;

/// <summary>What the ledger says of one account's requests with one outcome: both sides, as they were booked.</summary>
/// <param name="Account">The account's key (<see cref="Submission.Account"/>); empty for those that named none.</param>
/// <param name="Outcome">The word (<see cref="LedgerOutcome"/>, or a refusal's).</param>
/// <param name="Received">Requests, counted by the receiver.</param>
/// <param name="ReceivedBytes">Bytes of theirs, counted by the receiver.</param>
/// <param name="Requests">Requests, counted with their outcome.</param>
/// <param name="BytesIn">Bytes of theirs, counted with their outcome.</param>
/// <param name="BytesKept">Payload bytes that were stored.</param>
public sealed record AuditLine(string Account, string Outcome, long Received, long ReceivedBytes, long Requests, long BytesIn, long BytesKept);

/// <summary>What is stored, counted anew.</summary>
/// <param name="Submissions">Objects and late attachments.</param>
/// <param name="BytesIn">Bytes received for them.</param>
/// <param name="BytesKept">Payload bytes that are there.</param>
public readonly record struct StoredCount(long Submissions, long BytesIn, long BytesKept)
{
    internal StoredCount Add(long bytesIn, long bytesKept) => new(Submissions + 1, BytesIn + bytesIn, BytesKept + bytesKept);
}

/// <summary>What of one account is stored, whole or degraded, by three counts that have to agree.</summary>
/// <param name="Account">The account's key.</param>
/// <param name="Outcome"><see cref="LedgerOutcome.Accepted"/> or <see cref="LedgerOutcome.Degraded"/>.</param>
/// <param name="Ledger">As booked.</param>
/// <param name="Catalog">The rows of the catalog.</param>
/// <param name="Packs">The records in the packs, and the files that they name.</param>
public sealed record AuditStored(string Account, string Outcome, StoredCount Ledger, StoredCount Catalog, StoredCount Packs);

/// <summary>What an audit found.</summary>
public sealed record AuditReport
{
    /// <summary>The beginning of the hour from which on was counted; null: from the beginning.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>The ledger, by account and outcome.</summary>
    public required IReadOnlyList<AuditLine> Lines { get; init; }

    /// <summary>What is stored, by account and outcome.</summary>
    public required IReadOnlyList<AuditStored> Stored { get; init; }

    /// <summary>Stored objects and late attachments that came before there was a ledger, or that salvage found: nothing is claimed about them.</summary>
    public required long Unbooked { get; init; }

    /// <summary>What does not agree, a sentence each; empty: received = stored + degraded + refused + broken off, request by request and byte by byte.</summary>
    public required IReadOnlyList<string> Differences { get; init; }

    /// <summary>Requests received.</summary>
    public long Received => Lines.Sum(line => line.Received);

    /// <summary>Bytes received for them.</summary>
    public long ReceivedBytes => Lines.Sum(line => line.ReceivedBytes);

    /// <summary>True when the sides agree.</summary>
    public bool IsClean => Differences.Count == 0;

    /// <summary>The class that an outcome's word belongs to in the equation: <c>stored</c>, <c>degraded</c>, <c>refused</c>, <c>broken off</c> or <c>unsettled</c>.</summary>
    public static string ClassOf(string outcome) => outcome switch
    {
        LedgerOutcome.Accepted => "stored",
        LedgerOutcome.Degraded => "degraded",
        LedgerOutcome.BrokenOff => "broken off",
        LedgerOutcome.Unsettled => "unsettled",
        _ => "refused",
    };
}
