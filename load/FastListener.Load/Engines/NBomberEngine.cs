using System.Diagnostics;
using FastListener.Load.Measuring;
using FastListener.Load.Scenarios;
using NBomber.Contracts;
using NBomber.Contracts.Stats;
using NBomber.CSharp;

namespace FastListener.Load.Engines;

/// <summary>
/// The same scenarios under NBomber, compiled only with <c>-p:LoadEngine=nbomber</c>. Compiled and run against 4.1.2, and against no other version.
/// Beyond scenarios, responses and the simulations Inject, RampingInject and KeepConstant it uses WithMaxFailCount, WithClean, WithTestSuite and WithTestName,
/// the reports' folder, name and formats, StopScenario and StopCurrentTest of the context, and of the statistics Ok and Fail with Request.Count, Request.RPS,
/// Latency.Percent50, 95 and 99 and DataTransfer.AllBytes: where another version does not compile, it is one of these.
/// Two differences from our engine: NBomber measures from the call, not from the due time, and its arrivals are spread at random within a tick, or
/// come all at once. NBomber writes its own reports into <c>nbomber/</c> beside ours; limits are judged by our code either way.
/// </summary>
internal sealed class NBomberEngine(string reports) : ILoadEngine
{
    private const double TickSeconds = 0.1;

    /// <summary>NBomber refuses shorter simulations.</summary>
    private static readonly TimeSpan s_shortest = TimeSpan.FromSeconds(1);

    public string Name => "NBomber";

    /// <exception cref="InvalidOperationException">NBomber refused the scenario, or broke off.</exception>
    public ScenarioResult Run(Scenarios.Scenario scenario, int? serverProcess, Action<LoadProgress>? progress, CancellationToken stop)
    {
        var runs = scenario.Populations.Select((p, i) => new NBomberPopulation(scenario, p, scenario.FirstSequence + ((ulong)i << 40), stop)).ToArray();
        using var window = new NBomberWindow(scenario.Duration, serverProcess, runs, progress is null ? null : seconds => progress(Progress(scenario, runs, seconds)));
        var startedAt = DateTimeOffset.UtcNow;
        NodeStats stats;
        try
        {
            stats = NBomberRunner
                .RegisterScenarios([.. runs.Select(run => Props(run, window))])
                .WithTestSuite("FastListener")
                .WithTestName(scenario.Name)
                .WithReportFolder(Path.Combine(reports, "nbomber", scenario.Name))
                .WithReportFileName(scenario.Name)
                .WithReportFormats(ReportFormat.Html, ReportFormat.Md, ReportFormat.Csv)
                .Run();
        }
        catch (Exception e) when (e.GetType() == typeof(Exception)) // what NBomber throws
        {
            throw new InvalidOperationException($"NBomber: {e.Message}", e);
        }
        finally
        {
            window.Close();
            foreach (var run in runs)
            {
                run.Dispose();
            }
        }

        foreach (var run in runs)
        {
            Describe(stats.ScenarioStats.Single(s => s.ScenarioName == run.Name), run);
        }

        return new ScenarioResult
        {
            Scenario = scenario.Name,
            Description = scenario.Description,
            Engine = Name,
            Target = scenario.Target.Url.ToString(),
            StartedAt = startedAt,
            Window = window.Length,
            Populations = [.. runs.Select(r => new PopulationResult(r.Name, r.Population.Request.Body.Description, LatencyFrom.Call, r.Recorder))],
            Usage = window.Usage,
            ServerSeconds = serverProcess is null ? null : window.ServerSeconds,
            GeneratorSeconds = window.GeneratorSeconds,
            PeakAnonymousBytes = serverProcess is null ? null : window.PeakAnonymousBytes,
        };
    }

    private static ScenarioProps Props(NBomberPopulation run, NBomberWindow window) =>
        NBomber.CSharp.Scenario.Create(run.Name, async context =>
            {
                window.Open();
                return await run.OneAsync(context);
            })
            .WithoutWarmUp()
            .WithMaxFailCount(int.MaxValue) // it would break off after 5,000, and a rate is over the whole window
            .WithClean(_ =>
            {
                window.Close();
                run.CloseConnections();
                return Task.CompletedTask;
            })
            .WithLoadSimulations(Simulations(run.Population.Workload));

    private static LoadSimulation[] Simulations(Workload workload) => workload switch
    {
        ClosedLoop closed => [Simulation.KeepConstant(closed.FixedConnections, AtLeast(closed.For))],
        OpenLoop open => Injections(open.Stages),
        _ => throw new UnreachableException($"No simulation for {workload}."),
    };

    /// <summary>
    /// One tick for all stages, since a ramp begins at the count of the stage before it: about 100 ms, and such that a whole number of the slowest
    /// stage's requests falls into it.
    /// </summary>
    private static LoadSimulation[] Injections(IReadOnlyList<RateStage> stages)
    {
        var slowest = stages.Min(s => Math.Min(s.From, s.To));
        var tick = TimeSpan.FromSeconds(Math.Max(1, Math.Round(slowest * TickSeconds)) / slowest);
        return
        [
            .. stages.Select(stage =>
            {
                var count = Math.Max(1, (int)Math.Round(stage.To * tick.TotalSeconds));
                var length = AtLeast(stage.Duration < tick ? tick : stage.Duration);
                return Math.Abs(stage.From - stage.To) < 1e-9
                    ? Simulation.Inject(count, tick, length)
                    : Simulation.RampingInject(count, tick, length);
            }),
        ];
    }

    private static TimeSpan AtLeast(TimeSpan duration) => duration < s_shortest ? s_shortest : duration;

    private static void Describe(ScenarioStats stats, NBomberPopulation run) => Console.Out.WriteLine(FormattableString.Invariant(
        $"  NBomber on {stats.ScenarioName}: ok {stats.Ok.Request.Count} ({stats.Ok.Request.RPS:0.0}/s), failed {stats.Fail.Request.Count}; p50 {stats.Ok.Latency.Percent50:0.00} ms, p95 {stats.Ok.Latency.Percent95:0.00} ms, p99 {stats.Ok.Latency.Percent99:0.00} ms; {stats.Ok.DataTransfer.AllBytes} bytes{(run.Surplus > 0 ? $"; {run.Surplus} of them only waited for the last answers" : "")}"));

    private static LoadProgress Progress(Scenarios.Scenario scenario, NBomberPopulation[] runs, double seconds) => new(
        scenario.Name,
        seconds,
        scenario.Duration.TotalSeconds,
        runs.Sum(r => r.Recorder.Answered),
        runs.Sum(r => r.Recorder.Failed),
        runs.Sum(r => r.LastRate),
        runs.Max(r => r.LastP50),
        runs.Max(r => r.LastP99),
        runs.Sum(r => r.InFlight),
        runs.Sum(r => r.Waiting));
}
