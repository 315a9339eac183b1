namespace FastListener.Storage;

/// <summary>The outcomes that the ledger itself knows. Every other word names a refusal, and is the caller's.</summary>
public static class LedgerOutcome
{
    /// <summary>Stored whole.</summary>
    public const string Accepted = "accepted";

    /// <summary>Stored, with bytes given up on purpose.</summary>
    public const string Degraded = "degraded";

    /// <summary>The sender left before all of it was here.</summary>
    public const string BrokenOff = "broken_off";

    /// <summary>Nobody said what became of it: a defect, and a failed audit.</summary>
    public const string Unsettled = "unsettled";
}
