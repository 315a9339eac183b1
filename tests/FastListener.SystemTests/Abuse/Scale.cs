using System.Globalization;

namespace FastListener.SystemTests.Abuse;

/// <summary>FASTLISTENER_ABUSE_SCALE multiplies how many clients abuse the listener at once; 1 is what the suite promises.</summary>
internal static class Scale
{
    private static readonly double s_factor = double.Parse(
        Environment.GetEnvironmentVariable("FASTLISTENER_ABUSE_SCALE") ?? "1", CultureInfo.InvariantCulture);

    public static int Of(int count) => Math.Max(1, (int)(count * s_factor));
}
