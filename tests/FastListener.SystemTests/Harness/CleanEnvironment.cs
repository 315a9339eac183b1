using System.Diagnostics;

namespace FastListener.SystemTests.Harness;

/// <summary>The variables that steer these tests begin like the program's own settings; the program must not see them.</summary>
internal static class CleanEnvironment
{
    public static void Apply(ProcessStartInfo start)
    {
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("FASTLISTENER_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }
    }
}
