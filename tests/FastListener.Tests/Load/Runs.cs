using System.Diagnostics;
using FastListener.Load.Measuring;

namespace FastListener.Tests.Load;

/// <summary>Results of load runs that never happened.</summary>
internal static class Runs
{
    /// <summary>One population whose requests all took as long as asked, in two intervals of a second.</summary>
    public static PopulationResult Population(string name, int answered, int failed = 0, double milliseconds = 10, LatencyFrom from = LatencyFrom.DueTime)
    {
        var recorder = new Recorder();
        for (var i = 0; i < answered; i++)
        {
            recorder.Offer();
            recorder.Answer((ulong)i, 200, 1000, 0, 0, (long)(milliseconds / 1000 * Stopwatch.Frequency), late: false);
        }

        recorder.CloseInterval(1, 0, 0);
        for (var i = 0; i < failed; i++)
        {
            recorder.Offer();
            recorder.Fail("status <503>");
        }

        recorder.CloseInterval(2, 0, 3);
        return new PopulationResult(name, "input", from, recorder);
    }

    public static ScenarioResult Result(string scenario, double? serverSeconds, params PopulationResult[] populations) => new()
    {
        Scenario = scenario,
        Description = "What it is",
        Engine = "engine",
        Target = "http://127.0.0.1:1/",
        StartedAt = DateTimeOffset.UnixEpoch,
        Window = TimeSpan.FromSeconds(2),
        Populations = populations,
        Usage = [new UsagePoint(0.5, 0.5, 0.2, 10 << 20), new UsagePoint(1.5, 0.6, 0.1, 11 << 20)],
        ServerSeconds = serverSeconds,
        GeneratorSeconds = 0.5,
        PeakAnonymousBytes = serverSeconds is null ? null : 11 << 20,
    };
}
