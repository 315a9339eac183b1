namespace FastListener.Storage.Packs;

/// <summary>The store's clock unit: microseconds since 1970, UTC.</summary>
internal static class UnixMicroseconds
{
    /// <summary>An hour of them.</summary>
    public const long Hour = 3_600_000_000;

    public static long From(DateTimeOffset time) => (time.UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    /// <summary>Whether so many microseconds are a time that there is a date for.</summary>
    public static bool IsTime(long microseconds) =>
        microseconds >= 0 && microseconds <= (DateTime.MaxValue.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset ToTime(long microseconds) => new(DateTime.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond));
}
