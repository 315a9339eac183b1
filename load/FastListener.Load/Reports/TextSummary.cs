using System.Globalization;
using System.Text;
using FastListener.Load.Measuring;

namespace FastListener.Load.Reports;

/// <summary>A result in a few lines for the console.</summary>
internal static class TextSummary
{
    public static string Of(ScenarioResult result)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{result.Scenario}: {result.Rate:#,0.#}/s, {result.MebibytesPerSecond:0.0} MiB/s over {result.Window.TotalSeconds:0.0} s; answered {result.Answered:#,0}, late {result.AnsweredLate:#,0}, failed {result.Failed:#,0}");
        foreach (var population in result.Populations)
        {
            text.AppendLine();
            text.Append(CultureInfo.InvariantCulture, $"  {population.Name}: p50 {Ms(population.P(50))}, p90 {Ms(population.P(90))}, p99 {Ms(population.P(99))}, p99.9 {Ms(population.P(99.9))}, max {Ms(population.P(100))} {population.LatencyWords}");
            if (population.Recorder.Handshakes > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"; {population.Recorder.Handshakes:#,0} TLS handshakes, {population.Recorder.Resumed:#,0} resumed");
            }

            foreach (var (reason, count) in population.Recorder.Errors.OrderByDescending(e => e.Value))
            {
                text.AppendLine();
                text.Append(CultureInfo.InvariantCulture, $"    {count:#,0} x {reason}");
            }
        }

        text.AppendLine();
        text.Append("  core-seconds: ");
        text.Append(result.ServerSeconds is { } server
            ? string.Create(CultureInfo.InvariantCulture, $"server {server:0.00} ({Per(server, result)}), ")
            : "server unknown (no --server-pid), ");
        text.Append(CultureInfo.InvariantCulture, $"generator {result.GeneratorSeconds:0.00} ({Per(result.GeneratorSeconds, result)})");
        if (result.PeakAnonymousBytes is { } bytes)
        {
            text.Append(CultureInfo.InvariantCulture, $"; server anonymous memory at most {bytes / 1048576.0:0.0} MiB");
        }

        return text.ToString();
    }

    public static string Ms(long microseconds) => microseconds switch
    {
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1000.0:0.00} ms"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1000.0:0.0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1e6:0.00} s"),
    };

    public static string Per(double seconds, ScenarioResult result)
    {
        var thousand = ScenarioResult.PerThousand(seconds, result.Answered);
        var gigabyte = ScenarioResult.PerGigabyte(seconds, result.Bytes);
        return thousand is null || gigabyte is null
            ? "nothing answered"
            : string.Create(CultureInfo.InvariantCulture, $"{thousand:0.000} per 1,000, {gigabyte:0.00} per GB");
    }
}
