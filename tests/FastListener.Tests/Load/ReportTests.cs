using System.Xml.Linq;
using FastListener.Load.Measuring;
using FastListener.Load.Reports;
using FastListener.Tests.Tokens;
using Xunit;

namespace FastListener.Tests.Load;

public class ReportTests
{
    private static readonly string[] s_words = ["/x/fastlistener-load.dll", "run", "storm", "--token", "s3cret"];

    private static readonly ReportedRun s_run = new(
        [Runs.Result("storm", 1, Runs.Population("phones", 100, failed: 2), Runs.Population("desktops", 50, from: LatencyFrom.Send))],
        [new Verdict("storm", "p99: 1 ms", true), new Verdict("storm", "failed: 2 %", false)],
        "machine",
        s_words);

    [Fact]
    public void The_page_is_well_formed_and_loads_nothing_from_elsewhere()
    {
        var html = HtmlReport.Render(s_run);
        var page = XDocument.Parse(html.Replace("<!doctype html>", "", StringComparison.Ordinal).Replace("<meta charset=\"utf-8\">", "", StringComparison.Ordinal).Replace("<meta name=\"viewport\" content=\"width=device-width\">", "", StringComparison.Ordinal));

        Assert.DoesNotContain(page.Descendants().Attributes(), a => a.Name.LocalName is "src" or "href");
        Assert.Contains("1 of 2 limits broken", html, StringComparison.Ordinal);
        Assert.Contains("2 \u00d7 status &lt;503&gt;", html, StringComparison.Ordinal);
    }

    [Fact]
    public void There_is_a_chart_of_rate_errors_and_each_populations_latency_that_says_from_when()
    {
        var titles = ScenarioCharts.Of(s_run.Results[0]).Select(c => c.Chart.Title).ToArray();

        Assert.Contains("Requests due and answered", titles);
        Assert.Contains("Latency from the due time: phones", titles);
        Assert.Contains("Latency from the send: desktops", titles);
        Assert.Contains("Failed", titles);
        Assert.Contains("CPU", titles);
    }

    [Fact]
    public void A_token_is_in_neither_report()
    {
        using var directory = new DataDirectory();
        var markdown = File.ReadAllText(MarkdownReport.Write(s_run, directory.Path));

        Assert.DoesNotContain("s3cret", markdown, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", HtmlReport.Render(s_run), StringComparison.Ordinal);
        Assert.Contains("--token TOKEN", markdown, StringComparison.Ordinal);
        foreach (var picture in Directory.EnumerateFiles(directory.Path, "*.svg"))
        {
            Assert.Contains(Path.GetFileName(picture), markdown, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_interval_cut_short_is_no_rate()
    {
        var population = Runs.Population("phones", 100);
        population.Recorder.Offer();
        population.Recorder.CloseInterval(2.001, 0, 0);

        var chart = ScenarioCharts.Of(Runs.Result("storm", 1, population)).Single(c => c.File == "rate").Chart;
        Assert.Equal(2, chart.Series[0].Points.Count);
    }
}
