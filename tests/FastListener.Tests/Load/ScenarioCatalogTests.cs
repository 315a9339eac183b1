using FastListener.Load.Measuring;
using FastListener.Load.Scenarios;
using FastListener.Load.Sockets;
using Xunit;

namespace FastListener.Tests.Load;

public class ScenarioCatalogTests
{
    private static readonly ScenarioOptions s_options = new() { Target = LoopbackTarget.Parse("http://127.0.0.1:1"), Token = "t" };

    [Fact]
    public void A_storm_goes_up_to_its_peak_and_back_whatever_the_rate_of_others_is()
    {
        var stages = Stages("storm", s_options with { Peak = 1000, Rate = 7 });

        Assert.Equal([50, 50, 1000, 1000, 50], stages.Select(s => s.From));
        Assert.Equal([50, 1000, 1000, 50, 50], stages.Select(s => s.To));
        Assert.Equal(0.2875 * 1000 * 40, stages.Sum(s => s.Requests), 6);
    }

    [Fact]
    public void Without_a_measurement_its_peak_is_past_twice_what_two_cores_take() =>
        Assert.True(Stages("storm", s_options).Max(s => s.To) >= 2 * 12_620);

    [Fact]
    public void A_peak_moves_no_other_scenario()
    {
        foreach (var (name, _) in ScenarioCatalog.All.Where(s => s.Name != ScenarioCatalog.Storm))
        {
            Assert.Equal(Workloads(name, s_options), Workloads(name, s_options with { Peak = 1 }));
        }

        static IEnumerable<string> Workloads(string name, ScenarioOptions options) => ScenarioCatalog.Build(name, options, 1).Populations
            .Select(p => p.Workload is OpenLoop open ? string.Join(", ", open.Stages) : p.Workload.ToString());
    }

    [Fact]
    public void What_waits_at_the_top_of_a_storm_finds_room()
    {
        // Twice what the server takes: the excess of the ramps and of the plateau.
        const double Capacity = 100_000;
        var open = (OpenLoop)ScenarioCatalog.Build("storm", s_options with { Peak = 2 * Capacity }, 1).Populations[0].Workload;
        var waiting = open.Stages.Sum(stage => Enumerable.Range(0, 1000).Sum(i => Math.Max(0, stage.From + ((stage.To - stage.From) * i / 1000) - Capacity) * stage.Duration.TotalSeconds / 1000));

        Assert.InRange(waiting, 5 * Capacity, open.MaxBacklog);
    }

    [Fact]
    public void The_settled_rate_leaves_the_first_half_out()
    {
        var population = new PopulationResult("phones", "input", LatencyFrom.Send, new Recorder());
        foreach (var (second, answered) in new[] { (1, 10), (2, 20), (3, 100), (4, 100) })
        {
            for (var i = 0; i < answered; i++)
            {
                population.Recorder.Offer();
                population.Recorder.Answer(1, 200, 1, 0, 0, 1, late: false);
            }

            population.Recorder.CloseInterval(second, 0, 0);
        }

        Assert.Equal(100, (Runs.Result("storm", 1, population) with { Window = TimeSpan.FromSeconds(4) }).SettledRate);
    }

    private static IReadOnlyList<RateStage> Stages(string name, ScenarioOptions options) =>
        ((OpenLoop)ScenarioCatalog.Build(name, options, 1).Populations[0].Workload).Stages;
}
