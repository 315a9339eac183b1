using System.Globalization;
using System.Text;

namespace FastListener.Diagnostics;

/// <summary>The <c>Date</c> field's value (RFC 9110 section 5.6.7), made once a second.</summary>
internal static class HttpDate
{
    private static Stamp _stamp = new(0, Format(DateTimeOffset.UtcNow));

    /// <summary>29 bytes of ASCII. The array behind it is never changed.</summary>
    public static ReadOnlySpan<byte> Now
    {
        get
        {
            var second = Environment.TickCount64 / 1000;
            var stamp = Volatile.Read(ref _stamp);
            if (stamp.Second != second)
            {
                stamp = new(second, Format(DateTimeOffset.UtcNow));
                Volatile.Write(ref _stamp, stamp);
            }

            return stamp.Text;
        }
    }

    private static byte[] Format(DateTimeOffset now) => Encoding.ASCII.GetBytes(now.ToString("r", CultureInfo.InvariantCulture));

    private sealed record Stamp(long Second, byte[] Text);
}
