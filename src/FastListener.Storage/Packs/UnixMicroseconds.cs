namespace FastListener.Storage.Packs;

/// <summary>The store's clock unit: microseconds since 1970, UTC.</summary>
internal static class UnixMicroseconds
{
    /// <summary>An hour of them.</summary>
    public const long Hour = 3_600_000_000;

    public static long From(DateTimeOffset time) => (time.UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    private const long Latest = (3_155_378_975_999_999_999 - 621_355_968_000_000_000) / TimeSpan.TicksPerMicrosecond; // ticks of DateTime.MaxValue and of 1970

    /// <summary>Whether so many microseconds are a time that there is a date for.</summary>
    public static bool IsTime(long microseconds) => microseconds is >= 0 and <= Latest;

    /// <summary>Their date; a damaged row's number that has none reads as the nearest one that has.</summary>
    public static DateTimeOffset ToTime(long microseconds) => new(DateTime.UnixEpoch.AddTicks(Math.Clamp(microseconds, 0, Latest) * TimeSpan.TicksPerMicrosecond));
}
