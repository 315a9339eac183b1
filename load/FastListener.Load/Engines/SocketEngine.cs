using FastListener.Load.Measuring;
using FastListener.Load.Scenarios;
using FastListener.Load.Sockets;

namespace FastListener.Load.Engines;

/// <summary>Our engine: one thread over epoll, open loops measured from the due time, closed loops for throughput.</summary>
internal sealed class SocketEngine : ILoadEngine
{
    public string Name => "fastlistener-load";

    public ScenarioResult Run(Scenario scenario, int? serverProcess, Action<LoadProgress>? progress, CancellationToken stop)
    {
        // Yesterday's garbage is not part of today's run.
        GC.Collect();
        var startedAt = DateTimeOffset.UtcNow;
        using var usage = new UsageSampler(serverProcess);
        ScenarioRun? run = null;
        var lastTold = 0L;
        using (run = new ScenarioRun(scenario, Told))
        {
            (double Server, double Generator) used = default;
            run.WindowClosed = () => used = usage.Used();
            run.Run(stop);
            return new ScenarioResult
            {
                Scenario = scenario.Name,
                Description = scenario.Description,
                Engine = Name,
                Target = scenario.Target.Url.ToString(),
                StartedAt = startedAt,
                Window = run.Window,
                Populations = [.. run.Populations.Select(p => new PopulationResult(p.Population.Name, p.Population.Request.Body.Description, p.IsOpenLoop ? LatencyFrom.DueTime : LatencyFrom.Send, p.Recorder))],
                Usage = usage.Points,
                ServerSeconds = usage.KnowsServer ? used.Server : null,
                GeneratorSeconds = used.Generator,
                PeakAnonymousBytes = usage.KnowsServer ? usage.PeakAnonymousBytes : null,
            };
        }

        void Told(long milliseconds)
        {
            if (progress is null || run is null || milliseconds - lastTold < 1000)
            {
                return;
            }

            lastTold = milliseconds;
            progress(Summarise(scenario, milliseconds / 1000.0, run.Populations));
        }
    }

    private static LoadProgress Summarise(Scenario scenario, double seconds, IReadOnlyList<PopulationRun> populations)
    {
        var last = populations.Select(p => p.Recorder.Timeline).Where(t => t.Count > 0).Select(t => t[^1]).ToArray();
        return new LoadProgress(
            scenario.Name,
            seconds,
            scenario.Duration.TotalSeconds,
            populations.Sum(p => p.Recorder.Answered),
            populations.Sum(p => p.Recorder.Failed),
            last.Sum(p => p.AnsweredPerSecond),
            last.Length == 0 ? 0 : last.Max(p => p.P50),
            last.Length == 0 ? 0 : last.Max(p => p.P99),
            populations.Sum(p => p.InFlight),
            populations.Sum(p => p.Backlog.Count));
    }
}
