using FastListener.Load.Measuring;
using FastListener.Load.Scenarios;

namespace FastListener.Load.Engines;

/// <summary>What a run has done so far, for those who watch.</summary>
internal sealed record LoadProgress(string Scenario, double Seconds, double TotalSeconds, long Answered, long Failed, double RatePerSecond, long P50Microseconds, long P99Microseconds, int InFlight, int Backlog);

/// <summary>Runs a scenario. One of ours, and one that hands the same scenarios to NBomber.</summary>
internal interface ILoadEngine
{
    string Name { get; }

    /// <param name="scenario">What to send, where and how often.</param>
    /// <param name="serverProcess">The server's process, whose CPU and memory are to be watched; null when unknown.</param>
    /// <param name="progress">Told about once a second; null when nobody watches.</param>
    /// <param name="stop">Ends the run early; what was measured is kept.</param>
    ScenarioResult Run(Scenario scenario, int? serverProcess, Action<LoadProgress>? progress, CancellationToken stop);
}
