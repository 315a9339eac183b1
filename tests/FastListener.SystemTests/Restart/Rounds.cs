using System.Globalization;

namespace FastListener.SystemTests.Restart;

/// <summary>How often the restart tests repeat themselves: enough for every day, more when somebody asks.</summary>
internal static class Rounds
{
    /// <summary>FASTLISTENER_KILL_ROUNDS.</summary>
    public static int Kills { get; } = Read("FASTLISTENER_KILL_ROUNDS", 20);

    /// <summary>FASTLISTENER_CUT_ROUNDS.</summary>
    public static int Cuts { get; } = Read("FASTLISTENER_CUT_ROUNDS", 10);

    /// <summary>FASTLISTENER_SEED: the moments at which a listener is struck follow from it.</summary>
    public static int Seed { get; } = Read("FASTLISTENER_SEED", Environment.TickCount & 0xFFFF);

    private static int Read(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
