namespace FastListener.Configuration;

/// <summary>Everything an operator can set, read once at start and never changed after.</summary>
internal sealed record ListenerSettings
{
    /// <summary>Directory that holds everything the listener keeps.</summary>
    public required string DataDirectory { get; init; }

    public required ListenSettings Listen { get; init; }

    public required IntakeLimits Limits { get; init; }

    public required DeadlineOptions Deadlines { get; init; }

    public required OverloadOptions Overload { get; init; }

    public required StorageSettings Storage { get; init; }
}
