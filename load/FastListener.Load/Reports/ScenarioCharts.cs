using System.Globalization;
using FastListener.Load.Measuring;

namespace FastListener.Load.Reports;

/// <summary>The charts of one scenario: rate, latency of each population, errors, CPU, memory.</summary>
internal static class ScenarioCharts
{
    private const string Blue = "#1f6feb";
    private const string Teal = "#0f9d8a";
    private const string Orange = "#e8830c";
    private const string Red = "#c9302c";
    private const string Grey = "#8795a1";

    public static IReadOnlyList<(string File, SvgChart Chart)> Of(ScenarioResult result)
    {
        var charts = new List<(string, SvgChart)>();
        var timelines = result.Populations.Select(p => p.Recorder.Timeline).ToArray();
        var length = timelines.Max(t => t.Count);
        if (length > 0)
        {
            var offered = Sum(timelines, length, p => p.OfferedPerSecond);
            var answered = Sum(timelines, length, p => p.AnsweredPerSecond);
            charts.Add(("rate", new SvgChart("Requests due and answered", "per second",
            [
                new Series("due", Grey, offered, Thin: true),
                new Series("answered", Blue, answered, Filled: true),
            ])));
            foreach (var (population, index) in result.Populations.Select((p, i) => (p, i)))
            {
                var points = population.Recorder.Timeline;
                charts.Add(($"latency-{index + 1}", new SvgChart($"Latency {population.LatencyWords}: {population.Name}", "log scale",
                [
                    new Series("p50", Blue, Line(points, p => p.P50 / 1000.0)),
                    new Series("p90", Teal, Line(points, p => p.P90 / 1000.0)),
                    new Series("p99", Orange, Line(points, p => p.P99 / 1000.0)),
                    new Series("max", Red, Line(points, p => p.Max / 1000.0), Thin: true),
                ],
                Logarithmic: true,
                Label: Milliseconds)));
            }

            if (timelines.Any(t => t.Any(p => p.Backlog > 0)))
            {
                charts.Add(("backlog", new SvgChart("Due but waiting for a connection", "requests", [new Series("waiting", Orange, Sum(timelines, length, p => p.Backlog), Filled: true)])));
            }

            if (result.Failed > 0)
            {
                charts.Add(("errors", new SvgChart("Failed", "per second", [new Series("failed", Red, Sum(timelines, length, p => p.Failed / p.Length), Filled: true)])));
            }
        }

        if (result.Usage.Count > 1)
        {
            var series = new List<Series>();
            if (result.ServerSeconds is not null)
            {
                series.Add(new Series("server", Blue, [.. result.Usage.Select(u => (u.Seconds, u.ServerCores))], Filled: true));
            }

            series.Add(new Series("load generator", Grey, [.. result.Usage.Select(u => (u.Seconds, u.GeneratorCores))]));
            charts.Add(("cpu", new SvgChart("CPU", "cores", series)));
            if (result.PeakAnonymousBytes is > 0)
            {
                charts.Add(("memory", new SvgChart("Server memory, anonymous", "MiB", [new Series("anonymous", Teal, [.. result.Usage.Select(u => (u.Seconds, u.ServerAnonymousBytes / 1048576.0))], Filled: true)])));
            }
        }

        return charts;
    }

    private static string Milliseconds(double value) => value switch
    {
        >= 1000 => string.Create(CultureInfo.InvariantCulture, $"{value / 1000:0.##} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value:0.###} ms"),
    };

    private static List<(double, double)> Line(IReadOnlyList<IntervalPoint> points, Func<IntervalPoint, double> value) =>
        [.. points.Select(p => ((p.FromSeconds + p.ToSeconds) / 2, value(p)))];

    private static List<(double, double)> Sum(IReadOnlyList<IntervalPoint>[] timelines, int length, Func<IntervalPoint, double> value)
    {
        var sums = new List<(double, double)>(length);
        var lengths = new List<double>(length);
        for (var i = 0; i < length; i++)
        {
            var points = timelines.Where(t => i < t.Count).Select(t => t[i]).ToArray();
            sums.Add(((points[0].FromSeconds + points[0].ToSeconds) / 2, points.Sum(value)));
            lengths.Add(points[0].Length);
        }

        // The window's end cuts an interval short: a few requests in some milliseconds are no rate.
        var typical = lengths.Order().ElementAtOrDefault(length / 2);
        return [.. sums.Where((_, i) => lengths[i] >= typical / 3)];
    }
}
