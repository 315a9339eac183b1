using System.Globalization;
using System.Text;
using FastListener.Load.Reports;

namespace FastListener.SystemTests.Abuse;

/// <summary>What was seen at one moment of a soak. Latencies in milliseconds, of the client that behaves, since the moment before.</summary>
internal sealed record SoakSample(double Seconds, long Resident, long Anonymous, int Descriptors, int Threads, double Cores, int Answers, double P50, double P99, double Slowest);

/// <summary>The samples of a soak: as a table, as a picture, and whether they are flat.</summary>
internal sealed class SoakRecord
{
    /// <summary>
    /// What anonymous memory may grow by in the second half of a soak, per hour. The heap settles for long: the hour of 2026-11-26 grew by 95 MiB an hour in its
    /// first half, and by 11, give or take 6, in its second. More than twice that is no settling: 24 MiB an hour are half a GiB a day.
    /// </summary>
    private const double MostMebibytesPerHour = 24;

    /// <summary>A second half that begins sooner still shows how the heap settles, and nothing of a leak.</summary>
    private const double SettledSeconds = 1500;

    private readonly List<SoakSample> _samples = [];

    public void Add(SoakSample sample) => _samples.Add(sample);

    /// <summary>Writes <c>soak.csv</c> and <c>soak.svg</c>.</summary>
    public void Write(string folder, string title)
    {
        Directory.CreateDirectory(folder);
        var table = new StringBuilder("seconds,resident_bytes,anonymous_bytes,descriptors,threads,cores,answers,p50_ms,p99_ms,slowest_ms\n");
        foreach (var s in _samples)
        {
            table.Append(CultureInfo.InvariantCulture, $"{s.Seconds:0.0},{s.Resident},{s.Anonymous},{s.Descriptors},{s.Threads},{s.Cores:0.000},{s.Answers},{s.P50:0.00},{s.P99:0.00},{s.Slowest:0.00}\n");
        }

        File.WriteAllText(Path.Combine(folder, "soak.csv"), table.ToString());
        const string Blue = "#1f6feb", Teal = "#0f9d8a", Orange = "#e8830c", Red = "#c9302c";
        SvgChart[] charts =
        [
            new("Latency of a client that behaves", "ms, log scale",
                [Line("p50", Blue, s => s.P50), Line("p99", Orange, s => s.P99), Line("slowest", Red, s => s.Slowest) with { Thin = true }], Logarithmic: true),
            new("Memory", "MiB", [Line("anonymous", Teal, s => s.Anonymous / 1048576.0), Line("resident", Blue, s => s.Resident / 1048576.0)]),
            new("Descriptors", "open", [Line("descriptors", Blue, s => s.Descriptors)]),
            new("Threads", "threads", [Line("threads", Teal, s => s.Threads)]),
            new("Processor", "cores", [Line("listener", Blue, s => s.Cores)]),
        ];
        const int Height = 250;
        var picture = new StringBuilder();
        picture.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"{(charts.Length * Height) + 30}\">");
        picture.Append(CultureInfo.InvariantCulture, $"<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/><text x=\"62\" y=\"20\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"14\">{SvgChart.Escape(title)}</text>");
        for (var index = 0; index < charts.Length; index++)
        {
            picture.Append(CultureInfo.InvariantCulture, $"<g transform=\"translate(0,{30 + (index * Height)})\">{charts[index].Render()}</g>\n");
        }

        File.WriteAllText(Path.Combine(folder, "soak.svg"), picture.Append("</svg>\n").ToString());

        Series Line(string name, string colour, Func<SoakSample, double> value) => new(name, colour, [.. _samples.Select(s => (s.Seconds, value(s)))]);
    }

    /// <summary>
    /// The last third beside the second, since the first one warms up: no step, and nothing that grows fast. Of memory also the slope over the second half, by least
    /// squares: what grows slowly and steadily stays within what a third may have more than the one before.
    /// </summary>
    public void AssertFlat()
    {
        Assert.True(_samples.Count >= 9, $"{_samples.Count} samples are too few to compare.");
        AssertNoMore("anonymous memory, MiB", s => s.Anonymous / 1048576.0, factor: 1.1, more: 16);
        AssertNoMore("descriptors", s => s.Descriptors, factor: 1.1, more: 16);
        AssertNoMore("threads", s => s.Threads, factor: 1.1, more: 4);
        AssertNoMore("median latency, ms", s => s.P50, factor: 1.5, more: 2);
        AssertNoMore("p99 latency, ms", s => s.P99, factor: 2, more: 20);
        AssertNoSlope();
    }

    private void AssertNoSlope()
    {
        var half = _samples[(_samples.Count / 2)..];
        var (hours, mebibytes) = (half.Average(s => s.Seconds / 3600), half.Average(s => s.Anonymous / 1048576.0));
        var slope = half.Sum(s => ((s.Seconds / 3600) - hours) * ((s.Anonymous / 1048576.0) - mebibytes)) / half.Sum(s => Math.Pow((s.Seconds / 3600) - hours, 2));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"anonymous memory over the second half: {slope:0.0} MiB an hour"));
        Assert.True(half[0].Seconds < SettledSeconds || slope <= MostMebibytesPerHour, $"Anonymous memory grows by {slope:0.0} MiB an hour.");
    }

    private void AssertNoMore(string what, Func<SoakSample, double> value, double factor, double more)
    {
        var third = _samples.Count / 3;
        var (before, after) = (Median(_samples.Skip(third).Take(third)), Median(_samples.Skip(2 * third)));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {before:0.0} in the second third, {after:0.0} in the last"));
        Assert.True(after <= (before * factor) + more, $"{what}: {before:0.0} in the second third, {after:0.0} in the last.");

        double Median(IEnumerable<SoakSample> samples) => samples.Select(value).Order().ToList() is var sorted ? sorted[sorted.Count / 2] : 0;
    }
}
