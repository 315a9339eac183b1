using FastListener.Load.Compare;
using Xunit;

namespace FastListener.Tests.Load;

public class ComparisonReportTests
{
    [Fact]
    public void It_says_where_its_figures_come_from()
    {
        var report = ComparisonReport.Render(Comparisons.Run(["parse"]));

        Assert.Contains("2 x A Processor", report, StringComparison.Ordinal);
        Assert.Contains("nginx/1.2", report, StringComparison.Ordinal);
        Assert.Contains("revision abc1234-dirty", report, StringComparison.Ordinal);
        Assert.Contains("`load/peers/run.sh --rounds 2`", report, StringComparison.Ordinal);
        Assert.Contains("`System.GC.Server` true", report, StringComparison.Ordinal);
        Assert.Contains("12 attributes", report, StringComparison.Ordinal);
        Assert.DoesNotContain("Not the whole comparison", report, StringComparison.Ordinal);
    }

    [Fact]
    public void Floor_and_aim_stand_beside_each_goal_with_both_sides_own_figures()
    {
        var row = Row(ComparisonReport.Render(Comparisons.Run(["small-keep-alive"])), "| 20 KiB, keep-alive, 64 connections: rate / ASP.NET tuned");

        Assert.Equal(["4", "8", "1 [1-1]", "2", "**below the floor**", "12 [12-12]/s", "12 [12-12]/s"], row[1..]);
    }

    [Fact]
    public void The_first_table_says_what_each_server_promises_and_how_it_was_set_up()
    {
        var report = ComparisonReport.Render(Comparisons.Run(["small-keep-alive"]));

        var promises = Row(report, "| *a 200 promises*");
        Assert.Equal(Row(report, "| ours / theirs").Length, promises.Length);
        Assert.All(promises[1..^1], Assert.NotEmpty);
        Assert.Contains(promises, p => p.Contains("the framework buffers the form first", StringComparison.Ordinal));
        Assert.Contains(Row(report, "| *set up*"), s => s.Contains("FastListener's runtime settings", StringComparison.Ordinal));
        Assert.Contains(Row(report, "| *set up*"), s => s.Contains("the Web SDK's runtime settings", StringComparison.Ordinal));
    }

    [Fact]
    public void It_holds_us_against_our_own_alternatives()
    {
        var head = Row(ComparisonReport.Render(Comparisons.Run(["small-keep-alive", "large"])), "| as it comes / with the other setting");

        Assert.Equal(["Kestrel's transport", "packs through the page cache", "large files past the page cache"], head[1..4]);
    }

    [Fact]
    public void Resumed_sessions_are_shares_of_each_servers_own()
    {
        var row = Row(ComparisonReport.Render(Comparisons.Run(["tls-each"])), "| the same: sessions resumed");

        Assert.Equal(["75 [75-75] %", "75 [75-75] %", "75 [75-75] %", "2"], row[1..]);
    }

    [Fact]
    public void Every_server_of_every_measurement_has_its_row()
    {
        var all = MeasurementCatalog.All(quick: false).Select(m => m.Key).ToArray();
        var report = ComparisonReport.Render(Comparisons.Run(all));

        foreach (var measurement in MeasurementCatalog.All(quick: false))
        {
            var section = report.Split($"#### {measurement.Title}\n")[1].Split("####")[0];
            Assert.All(measurement.Peers, peer => Assert.Contains($"| {PeerCatalog.Get(peer).Title} |", section, StringComparison.Ordinal));
            Assert.All(measurement.Peers, peer => Assert.Contains(PeerCatalog.Get(peer).Promise, section, StringComparison.Ordinal));
            Assert.Equal(measurement.DeleteAfterEachStep, section.Contains("deleted after each step, because", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void It_says_what_is_missing_and_why()
    {
        var whole = Comparisons.Run(["parse"], rounds: 1);
        var run = new ComparedRun(whole.Steps, Comparisons.Measurements("parse", "gzip"), 2, Comparisons.From) { Ended = "interrupted" };

        Assert.Contains("**Not the whole comparison: interrupted.** Not measured: gzip. Not finished: parse (1 of 2 rounds).", ComparisonReport.Render(run), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_nothing_it_is_still_a_report()
    {
        var run = new ComparedRun([], Comparisons.Measurements("parse"), 2, Comparisons.From) { Ended = "interrupted" };

        Assert.Contains("Not measured: parse.", ComparisonReport.Render(run), StringComparison.Ordinal);
    }

    [Fact]
    public void A_problem_is_told_and_the_run_does_not_hold()
    {
        var good = Comparisons.Run(["gzip"]);
        Assert.True(good.Holds);

        var bad = good with { Steps = [.. good.Steps, Comparisons.Step("gzip", "node-gzip", 2) with { Problem = "it burned" }] };
        Assert.False(bad.Holds);
        Assert.Contains("- gzip, node-gzip, round 2: it burned", ComparisonReport.Render(bad), StringComparison.Ordinal);
    }

    private static string[] Row(string report, string beginning) =>
        [.. report.Split('\n').First(l => l.StartsWith(beginning, StringComparison.Ordinal)).Split('|')[1..^1].Select(c => c.Trim())];
}
