using FastListener.Load.Measuring;

namespace FastListener.Load.Compare;

/// <summary>What one peer did in one round of one measurement.</summary>
internal sealed record Step(string Measurement, string Peer, int Round, DateTimeOffset At)
{
    /// <summary>Acknowledged a second.</summary>
    public double Rate { get; init; }

    public double MebibytesPerSecond { get; init; }

    public double CpuMicrosecondsPerRequest { get; init; }

    public double CpuMillisecondsPerMebibyte { get; init; }

    public double GeneratorMicrosecondsPerRequest { get; init; }

    public double P50Milliseconds { get; init; }

    public double P99Milliseconds { get; init; }

    public double? AnonymousMebibytes { get; init; }

    public double? AllocatedPerRequest { get; init; }

    public long Failed { get; init; }

    /// <summary>Share of TLS handshakes that resumed a session.</summary>
    public double? Resumed { get; init; }

    public string ReadBack { get; init; } = "";

    /// <summary>Why the step does not count; null when it does.</summary>
    public string? Problem { get; init; }

    public double? Of(Figure figure) => Problem is not null ? null : figure switch
    {
        Figure.Rate => Rate,
        Figure.MebibytesPerSecond => MebibytesPerSecond,
        Figure.CpuPerRequest => CpuMicrosecondsPerRequest,
        Figure.CpuPerMebibyte => CpuMillisecondsPerMebibyte,
        Figure.P99 => P99Milliseconds,
        Figure.AnonymousMebibytes => AnonymousMebibytes,
        Figure.AllocatedPerRequest => AllocatedPerRequest,
        Figure.Resumed => Resumed,
        _ => throw new ArgumentOutOfRangeException(nameof(figure)),
    };

    public static Step From(string measurement, string peer, int round, ScenarioResult result)
    {
        var latency = result.Latency();
        var handshakes = result.Populations.Sum(p => p.Recorder.Handshakes);
        return new Step(measurement, peer, round, result.StartedAt)
        {
            Rate = result.Rate,
            MebibytesPerSecond = result.MebibytesPerSecond,
            CpuMicrosecondsPerRequest = result.ServerMicrosecondsPerRequest ?? 0,
            CpuMillisecondsPerMebibyte = result.ServerMillisecondsPerMebibyte ?? 0,
            GeneratorMicrosecondsPerRequest = result.Answered == 0 ? 0 : result.GeneratorSeconds * 1e6 / result.Answered,
            P50Milliseconds = latency.TotalCount == 0 ? 0 : latency.GetValueAtPercentile(50) / 1000.0,
            P99Milliseconds = latency.TotalCount == 0 ? 0 : latency.GetValueAtPercentile(99) / 1000.0,
            AnonymousMebibytes = result.PeakAnonymousBytes / 1048576.0,
            Failed = result.Failed,
            Resumed = handshakes == 0 ? null : (double)result.Populations.Sum(p => p.Recorder.Resumed) / handshakes,
        };
    }
}

/// <summary>Median and range of a figure over the counted rounds.</summary>
internal readonly record struct Spread(double Median, double Low, double High, int Rounds)
{
    public static Spread? Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        if (sorted.Length == 0)
        {
            return null;
        }

        var middle = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(median, sorted[0], sorted[^1], sorted.Length);
    }

    /// <summary>Ratios of two peers, each of the same round.</summary>
    public static Spread? Ratio(IReadOnlyList<Step> steps, string measurement, string peer, string against, Figure figure) =>
        Of(from one in steps
           where one.Measurement == measurement && one.Peer == peer && one.Round > 0
           from other in steps
           where other.Measurement == measurement && other.Peer == against && other.Round == one.Round
           let a = one.Of(figure)
           let b = other.Of(figure)
           where a is not null && b is > 0
           select a.Value / b.Value);

    public static Spread? Own(IReadOnlyList<Step> steps, string measurement, string peer, Figure figure) =>
        Of(from one in steps
           where one.Measurement == measurement && one.Peer == peer && one.Round > 0
           let a = one.Of(figure)
           where a is not null
           select a.Value);
}
