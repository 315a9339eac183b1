namespace FastListener.Hosting.Transport;

/// <summary>Short names for connections, for logs: unique in a process, and between processes started at different times.</summary>
internal static class ConnectionIds
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
    private static long s_last = DateTime.UtcNow.Ticks;

    public static string Next() => string.Create(13, Interlocked.Increment(ref s_last), static (digits, id) =>
    {
        for (var i = digits.Length - 1; i >= 0; i--, id >>= 5)
        {
            digits[i] = Digits[(int)(id & 31)];
        }
    });
}
