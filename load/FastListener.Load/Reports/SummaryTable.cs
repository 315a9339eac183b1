using System.Globalization;
using FastListener.Load.Measuring;
using HdrHistogram;

namespace FastListener.Load.Reports;

/// <summary>The figures both report formats show, as text.</summary>
internal static class SummaryTable
{
    public static readonly string[] ScenarioHeads =
        ["scenario", "answered/s", "MiB/s", "p50", "p99", "max", "late", "failed", "server s/1,000", "server s/GB", "generator s/1,000", "generator s/GB", "server MiB"];

    public static string[] ScenarioRow(ScenarioResult result)
    {
        var latency = result.Latency();
        var any = latency.TotalCount > 0;
        return
        [
            result.Scenario,
            Number(result.Rate),
            string.Create(CultureInfo.InvariantCulture, $"{result.MebibytesPerSecond:#,0.0}"),
            any ? TextSummary.Ms(latency.GetValueAtPercentile(50)) : "",
            any ? TextSummary.Ms(latency.GetValueAtPercentile(99)) : "",
            any ? TextSummary.Ms(latency.GetMaxValue()) : "",
            Number(result.AnsweredLate),
            Number(result.Failed),
            Seconds(ScenarioResult.PerThousand(result.ServerSeconds, result.Answered)),
            Seconds(ScenarioResult.PerGigabyte(result.ServerSeconds, result.Bytes)),
            Seconds(ScenarioResult.PerThousand(result.GeneratorSeconds, result.Answered)),
            Seconds(ScenarioResult.PerGigabyte(result.GeneratorSeconds, result.Bytes)),
            result.PeakAnonymousBytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0}") : "unknown",
        ];
    }

    public static readonly string[] PopulationHeads = ["clients", "due", "answered", "late", "failed", "p50", "p90", "p99", "p99.9", "max", "p50 from send", "p99 from send", "TLS resumed"];

    public static string[] PopulationRow(PopulationResult population)
    {
        var recorder = population.Recorder;
        return
        [
            population.Name,
            Number(recorder.Offered),
            Number(recorder.Answered),
            Number(recorder.AnsweredLate),
            Number(recorder.Failed),
            TextSummary.Ms(population.P(50)),
            TextSummary.Ms(population.P(90)),
            TextSummary.Ms(population.P(99)),
            TextSummary.Ms(population.P(99.9)),
            TextSummary.Ms(population.P(100)),
            TextSummary.Ms(population.SendP(50)),
            TextSummary.Ms(population.SendP(99)),
            recorder.Handshakes == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{recorder.Resumed:#,0} of {recorder.Handshakes:#,0}"),
        ];
    }

    private static string Number(double value) => value >= 100 || value == Math.Floor(value)
        ? string.Create(CultureInfo.InvariantCulture, $"{value:#,0}")
        : string.Create(CultureInfo.InvariantCulture, $"{value:0.0}");

    private static string Seconds(double? value) => value is { } v ? string.Create(CultureInfo.InvariantCulture, $"{v:0.000}") : "unknown";
}
