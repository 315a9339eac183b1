using FastListener.Load.Compare;
using FastListener.Tests.Tokens;
using Xunit;

namespace FastListener.Tests.Load;

public sealed class ComparisonTests : IDisposable
{
    private readonly DataDirectory _directory = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _ran = [];

    private static int StepsOfParse => 3 * MeasurementCatalog.All(quick: false).Single(measurement => measurement.Key == "parse").Peers.Length;

    public void Dispose()
    {
        _stop.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Everybody_has_his_turn_in_each_round_and_one_round_more_is_run_first()
    {
        var comparison = Comparison(_ => { });

        Assert.Null(Run(comparison, null, "parse"));
        Assert.Equal(StepsOfParse, comparison.Steps.Count);
        Assert.All(comparison.Steps.GroupBy(s => s.Peer), steps => Assert.Equal([0, 1, 2], steps.Select(s => s.Round)));
    }

    [Fact]
    public void A_run_that_is_interrupted_keeps_what_it_measured_and_drops_the_step_that_the_servers_died_in()
    {
        var comparison = Comparison(ran =>
        {
            if (ran == 5)
            {
                _stop.Cancel();
            }
        });

        Assert.Equal("interrupted", Run(comparison, null, "parse", "gzip"));
        Assert.Equal(5, _ran.Count);
        Assert.Equal(4, comparison.Steps.Count);
    }

    [Fact]
    public void A_step_that_is_cut_off_interrupts_the_run()
    {
        var comparison = Comparison(ran =>
        {
            if (ran == 2)
            {
                _stop.Cancel();
                _stop.Token.ThrowIfCancellationRequested();
            }
        });

        Assert.Equal("interrupted", Run(comparison, null, "parse"));
        Assert.Single(comparison.Steps);
    }

    [Fact]
    public void After_its_minutes_a_run_finishes_what_it_has_begun_and_begins_nothing_more()
    {
        var clock = new ManualClock();
        var comparison = Comparison(_ => clock.Advance(TimeSpan.FromMinutes(1)), clock, TimeSpan.FromMinutes(5));

        Assert.Contains("5 minutes", Run(comparison, null, "parse", "gzip"), StringComparison.Ordinal);
        Assert.All(comparison.Steps, s => Assert.Equal("parse", s.Measurement));
        Assert.Equal(StepsOfParse, comparison.Steps.Count);
    }

    [Fact]
    public void Other_runtime_settings_are_measured_only_when_they_are_named()
    {
        Run(Comparison(_ => { }), null, "parse");
        Assert.DoesNotContain("aspnet-parse-sdk", _ran);

        Run(Comparison(_ => { }), ["aspnet-parse", "aspnet-parse-sdk"], "parse");
        Assert.Contains("aspnet-parse-sdk", _ran);
    }

    [Fact]
    public void A_disk_that_fills_ends_the_run_with_what_it_has()
    {
        var free = long.MaxValue;
        var comparison = Comparison(ran => free = ran == 3 ? 1 : free, free: () => free);

        Assert.Throws<InvalidOperationException>(() => Run(comparison, null, "parse"));
        Assert.Equal(3, comparison.Steps.Count);
    }

    private Comparison Comparison(Action<int> step, TimeProvider? clock = null, TimeSpan? limit = null, Func<long>? free = null) => new(
        (measurement, peer, round) =>
        {
            _ran.Add(peer.Key);
            step(_ran.Count);
            return Comparisons.Step(measurement.Key, peer.Key, round);
        },
        _directory.Path,
        2,
        TextWriter.Null)
    {
        Clock = clock ?? TimeProvider.System,
        Limit = limit,
        FreeBytes = _ => free?.Invoke() ?? long.MaxValue,
    };

    private string? Run(Comparison comparison, string[]? peers, params string[] measurements) =>
        comparison.Run(Comparisons.Measurements(measurements), peers, Path.Combine(_directory.Path, "steps.jsonl"), _stop.Token);

    private sealed class ManualClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan by) => _now += by.Ticks;
    }
}
