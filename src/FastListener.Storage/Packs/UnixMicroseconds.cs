namespace FastListener.Storage.Packs;

/// <summary>The store's clock unit: microseconds since 1970, UTC.</summary>
internal static class UnixMicroseconds
{
    public static long From(DateTimeOffset time) => (time.UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset ToTime(long microseconds) => new(DateTime.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond));
}
