using System.Collections.Concurrent;
using System.Diagnostics;
using FastListener.Load.Measuring;
using FastListener.Load.Scenarios;
using NBomber.Contracts;
using NBomber.Contracts.Stats;
using NBomber.CSharp;

namespace FastListener.Load.Engines;

/// <summary>
/// The same scenarios under NBomber, compiled only with <c>-p:LoadEngine=nbomber</c>. It uses what NBomber 4 and 6 have in common. Two differences
/// from our engine: NBomber measures from the call, not from the due time, and it lets a tick's requests go all at once (ticks of 100 ms here).
/// NBomber writes its own reports into <c>nbomber/</c> beside ours; limits are judged by our code either way.
/// </summary>
internal sealed class NBomberEngine : ILoadEngine
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(100);

    public string Name => "NBomber";

    public ScenarioResult Run(Scenarios.Scenario scenario, int? serverProcess, Action<LoadProgress>? progress, CancellationToken stop)
    {
        var runs = scenario.Populations.Select((p, i) => new PopulationUnderNBomber(scenario, p, scenario.FirstSequence + ((ulong)i << 40), stop)).ToArray();
        using var usage = new UsageSampler(serverProcess);
        var startedAt = DateTimeOffset.UtcNow;
        var clock = Stopwatch.StartNew();
        using var ticker = new Timer(_ => Tell(scenario, runs, clock, progress), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        NodeStats stats = NBomberRunner
            .RegisterScenarios([.. runs.Select(Props)])
            .WithTestSuite("FastListener")
            .WithTestName(scenario.Name)
            .WithReportFolder(Path.Combine("reports", "nbomber", scenario.Name))
            .WithReportFileName(scenario.Name)
            .WithReportFormats(ReportFormat.Html, ReportFormat.Md, ReportFormat.Csv)
            .Run();
        var window = clock.Elapsed;
        var used = usage.Used();
        foreach (var run in runs)
        {
            run.Finish();
            Describe(stats.ScenarioStats.Single(s => s.ScenarioName == run.Name));
        }

        return new ScenarioResult
        {
            Scenario = scenario.Name,
            Description = scenario.Description,
            Engine = Name,
            Target = scenario.Target.Url.ToString(),
            StartedAt = startedAt,
            Window = TimeSpan.FromSeconds(Math.Min(window.TotalSeconds, Math.Max(0.001, runs.Max(r => r.ActiveSeconds)))),
            Populations = [.. runs.Select(r => new PopulationResult(r.Name, r.Population.Request.Body.Description, r.Recorder))],
            Usage = usage.Points,
            ServerSeconds = usage.KnowsServer ? used.Server : null,
            GeneratorSeconds = used.Generator,
            PeakAnonymousBytes = usage.KnowsServer ? usage.PeakAnonymousBytes : null,
        };
    }

    private static ScenarioProps Props(PopulationUnderNBomber run) =>
        NBomber.CSharp.Scenario.Create(run.Name, async context => await run.OneAsync())
            .WithoutWarmUp()
            .WithClean(_ =>
            {
                run.CloseConnections();
                return Task.CompletedTask;
            })
            .WithLoadSimulations(Simulations(run.Population.Workload));

    private static LoadSimulation[] Simulations(Workload workload) => workload switch
    {
        ClosedLoop closed => [Simulation.KeepConstant(closed.FixedConnections, closed.For)],
        OpenLoop open => [.. open.Stages.Select(Injection)],
        _ => throw new UnreachableException($"No simulation for {workload}."),
    };

    private static LoadSimulation Injection(RateStage stage)
    {
        var to = Math.Max(1, (int)Math.Round(stage.To * s_tick.TotalSeconds));
        return Math.Abs(stage.From - stage.To) < 1e-9
            ? Simulation.Inject(to, s_tick, stage.Duration)
            : Simulation.RampingInject(to, s_tick, stage.Duration);
    }

    private static void Describe(ScenarioStats stats) => Console.Out.WriteLine(FormattableString.Invariant(
        $"  NBomber on {stats.ScenarioName}: ok {stats.Ok.Request.Count} ({stats.Ok.Request.RPS:0.0}/s), failed {stats.Fail.Request.Count}; p50 {stats.Ok.Latency.Percent50:0.00} ms, p95 {stats.Ok.Latency.Percent95:0.00} ms, p99 {stats.Ok.Latency.Percent99:0.00} ms; {stats.Ok.DataTransfer.AllBytes} bytes"));

    private static void Tell(Scenarios.Scenario scenario, PopulationUnderNBomber[] runs, Stopwatch clock, Action<LoadProgress>? progress)
    {
        foreach (var run in runs)
        {
            run.CloseInterval();
        }

        progress?.Invoke(new LoadProgress(
            scenario.Name,
            clock.Elapsed.TotalSeconds,
            scenario.Duration.TotalSeconds,
            runs.Sum(r => r.Recorder.Answered),
            runs.Sum(r => r.Recorder.Failed),
            runs.Sum(r => r.LastRate),
            runs.Max(r => r.LastP50),
            runs.Max(r => r.LastP99),
            runs.Sum(r => r.InFlight),
            0));
    }

    /// <summary>A population's connections and counts while NBomber calls it from many threads.</summary>
    private sealed class PopulationUnderNBomber(Scenarios.Scenario scenario, Population population, ulong firstSequence, CancellationToken stop)
    {
        private readonly ConcurrentBag<TaskClient> _idle = [];
        private readonly Lock _lock = new();
        private readonly long _start = Stopwatch.GetTimestamp();
        private long _sequence = (long)firstSequence;
        private long _issued;
        private long _firstCall;
        private long _lastAnswer;
        private int _inFlight;

        public string Name => population.Name;

        public Population Population => population;

        public Recorder Recorder { get; } = new();

        public int InFlight => Volatile.Read(ref _inFlight);

        public double ActiveSeconds => _firstCall == 0 ? 0 : Stopwatch.GetElapsedTime(_firstCall, _lastAnswer).TotalSeconds;

        public double LastRate => Recorder.Timeline is [.., var last] ? last.AnsweredPerSecond : 0;

        public long LastP50 => Recorder.Timeline is [.., var last] ? last.P50 : 0;

        public long LastP99 => Recorder.Timeline is [.., var last] ? last.P99 : 0;

        public async Task<IResponse> OneAsync()
        {
            if (population.Workload is ClosedLoop { RequestsEach: < long.MaxValue } counted
                && Interlocked.Increment(ref _issued) > counted.RequestsEach * counted.FixedConnections)
            {
                await Task.Delay(s_tick, stop); // all were sent; NBomber itself knows time only
                return Response.Ok(statusCode: "none", sizeBytes: 0);
            }

            Interlocked.CompareExchange(ref _firstCall, Stopwatch.GetTimestamp(), 0);
            var client = _idle.TryTake(out var kept) ? kept : new TaskClient(scenario.Target, population);
            Interlocked.Increment(ref _inFlight);
            try
            {
                var response = await SendAsync(client, population.Request);
                if (population.FollowUp is { } followUp && !response.IsError && client.TakeObjectId())
                {
                    response = await SendAsync(client, followUp);
                }

                return response;
            }
            finally
            {
                Interlocked.Decrement(ref _inFlight);
                _idle.Add(client);
            }
        }

        public void CloseInterval()
        {
            lock (_lock)
            {
                Recorder.CloseInterval(Stopwatch.GetElapsedTime(_start).TotalSeconds, InFlight, 0);
            }
        }

        public void CloseConnections()
        {
            while (_idle.TryTake(out var client))
            {
                client.Dispose();
            }
        }

        public void Finish()
        {
            lock (_lock)
            {
                if (Recorder.HasOpenInterval)
                {
                    Recorder.CloseInterval(Stopwatch.GetElapsedTime(_start).TotalSeconds, InFlight, 0);
                }
            }
        }

        private async Task<IResponse> SendAsync(TaskClient client, Sockets.RequestTemplate request)
        {
            var sequence = (ulong)Interlocked.Increment(ref _sequence);
            var began = Stopwatch.GetTimestamp();
            lock (_lock)
            {
                Recorder.Offer();
            }

            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
            patience.CancelAfter(scenario.RequestTimeout);
            string problem;
            try
            {
                var status = await client.SendAsync(request, sequence, patience.Token);
                if (request.Expected.Contains(status))
                {
                    var done = Stopwatch.GetTimestamp();
                    lock (_lock)
                    {
                        _lastAnswer = done;
                        Recorder.Answer(sequence, request.Length, began, began, done, late: false);
                    }

                    return Response.Ok(statusCode: status.ToString(System.Globalization.CultureInfo.InvariantCulture), sizeBytes: (int)Math.Min(int.MaxValue, request.Length));
                }

                problem = FormattableString.Invariant($"status {status}");
            }
            catch (IOException e)
            {
                problem = e.Message;
            }

            lock (_lock)
            {
                Recorder.Fail(problem);
            }

            return Response.Fail(statusCode: "failed", message: problem, sizeBytes: 0);
        }
    }
}
