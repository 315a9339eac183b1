using System.Text.Json;
using FastListener.Load.Measuring;
using FastListener.Load.Scenarios;
using Xunit;

namespace FastListener.Tests.Load;

public class ThresholdsTests
{
    private static readonly string[] s_known = ["storm", "crashpad"];

    [Fact]
    public void Without_a_file_one_failed_request_breaks_the_run()
    {
        Assert.All(Thresholds.None.Judge(Runs.Result("storm", 1, Runs.Population("phones", 100))), v => Assert.True(v.Held));
        Assert.Contains(Thresholds.None.Judge(Runs.Result("storm", 1, Runs.Population("phones", 100, failed: 1))), v => !v.Held && v.Text.StartsWith("failed:", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_says_nothing_of_failures_allows_none()
    {
        var limits = Thresholds.Parse("""{ "storm": { "minRatePerSecond": 1 } }""", s_known);

        Assert.Contains(limits.Judge(Runs.Result("storm", 1, Runs.Population("phones", 100, failed: 1))), v => !v.Held);
        Assert.Contains(limits.Judge(Runs.Result("crashpad", 1, Runs.Population("phones", 100, failed: 1))), v => !v.Held);
    }

    [Fact]
    public void A_run_in_which_nothing_was_answered_does_not_hold() =>
        Assert.Contains(Thresholds.None.Judge(Runs.Result("storm", 1, Runs.Population("phones", 0))), v => !v.Held);

    [Theory]
    [InlineData("minRatePerSecond", 49, 51)]
    [InlineData("maxP50Milliseconds", 11, 9)]
    [InlineData("maxP99Milliseconds", 11, 9)]
    [InlineData("maxErrorRatio", 0.6, 0.4)]
    [InlineData("maxServerCoreSecondsPerThousand", 10.1, 9.9)]
    [InlineData("maxServerCoreSecondsPerGigabyte", 10001, 9999)]
    [InlineData("maxAnonymousMebibytes", 12, 10)]
    public void Each_limit_is_judged_on_both_sides(string limit, double kept, double broken)
    {
        var result = Runs.Result("storm", 1, Runs.Population("phones", 100, failed: 100));
        Assert.Equal(limit == "maxErrorRatio" ? 0 : 1, Broken(kept));
        Assert.Equal(limit == "maxErrorRatio" ? 1 : 2, Broken(broken));

        int Broken(double bound) =>
            Thresholds.Parse(FormattableString.Invariant($$"""{ "storm": { "{{limit}}": {{bound}} } }"""), s_known).Judge(result).Count(v => !v.Held);
    }

    [Fact]
    public void What_was_not_measured_does_not_hold()
    {
        var limits = Thresholds.Parse("""{ "storm": { "maxAnonymousMebibytes": 1000 } }""", s_known);

        Assert.Contains(limits.Judge(Runs.Result("storm", null, Runs.Population("phones", 1))), v => !v.Held && v.Text.Contains("not measured", StringComparison.Ordinal));
    }

    [Fact]
    public void A_population_is_judged_by_itself()
    {
        var limits = Thresholds.Parse("""{ "*": { "populations": { "fast": { "maxP99Milliseconds": 20 } } } }""", s_known);

        Assert.All(limits.Judge(Runs.Result("storm", 1, Runs.Population("fast", 10), Runs.Population("slow", 10, milliseconds: 5000))), v => Assert.True(v.Held));
        Assert.Contains(limits.Judge(Runs.Result("storm", 1, Runs.Population("fast", 10, milliseconds: 30))), v => !v.Held);
        Assert.Contains(limits.Judge(Runs.Result("storm", 1, Runs.Population("another", 10))), v => !v.Held);
    }

    [Theory]
    [InlineData("""{ "strom": { } }""")]
    [InlineData("""{ "storm": null }""")]
    [InlineData("""{ "storm": { "maxP98Milliseconds": 1 } }""")]
    [InlineData("""{ "storm": { "populations": { "a": null } } }""")]
    [InlineData("""{ "storm": { "populations": { "a": { "maxAnonymousMebibytes": 1 } } } }""")]
    [InlineData("[]")]
    public void A_limit_that_nobody_would_be_judged_by_is_an_error(string json) =>
        Assert.Throws<JsonException>(() => Thresholds.Parse(json, s_known));

    [Fact]
    public void The_thresholds_that_come_with_the_scenarios_name_scenarios_and_populations_that_exist()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory!.FullName, "FastListener.sln")))
        {
            directory = directory.Parent;
        }

        var limits = Thresholds.Load(Path.Combine(directory.FullName, "load", "thresholds.json"), ScenarioCatalog.All.Select(s => s.Name));
        var options = new ScenarioOptions { Target = FastListener.Load.Sockets.LoopbackTarget.Parse("http://127.0.0.1:1"), Token = "t" };
        foreach (var (name, _) in ScenarioCatalog.All)
        {
            var populations = ScenarioCatalog.Build(name, options, 1).Populations.Select(p => Runs.Population(p.Name, 1000)).ToArray();
            Assert.All(limits.Judge(Runs.Result(name, 0.00001, populations)), v => Assert.True(v.Held, v.Text));
        }
    }
}
