using FastListener.Load.Compare;

namespace FastListener.Tests.Load;

/// <summary>Comparisons that never happened.</summary>
internal static class Comparisons
{
    public static readonly Provenance From = new("2 x A Processor", "nginx/1.2", "abc1234-dirty", "load/peers/run.sh --rounds 2") { Runtimes = ["The Web SDK's: `System.GC.Server` true."] };

    public static Measurement[] Measurements(params string[] keys) => [.. MeasurementCatalog.All(quick: false).Where(m => keys.Contains(m.Key))];

    /// <summary>A server that does as many a second as its key has letters, and uses as many microseconds for each.</summary>
    public static Step Step(string measurement, string peer, int round) => new(measurement, peer, round, DateTimeOffset.UnixEpoch)
    {
        Rate = peer.Length,
        MebibytesPerSecond = peer.Length,
        CpuMicrosecondsPerRequest = peer.Length,
        CpuMillisecondsPerMebibyte = peer.Length,
        P99Milliseconds = peer.Length,
        AnonymousMebibytes = peer.Length,
        AllocatedPerRequest = peer.Length,
        Resumed = measurement == "tls-each" ? 0.75 : null,
        ReadBack = "7 read back",
    };

    public static ComparedRun Run(string[] measurements, int rounds = 2, string? ended = null)
    {
        var chosen = Measurements(measurements);
        Step[] steps = [.. chosen.SelectMany(m => m.Peers, (m, peer) => (m, peer)).SelectMany(x => Enumerable.Range(0, rounds + 1).Select(round => Step(x.m.Key, x.peer, round)))];
        return new ComparedRun(steps, chosen, rounds, From) { Ended = ended };
    }
}
