using HdrHistogram;

namespace FastListener.Load.Measuring;

/// <summary>The moment from which a population's latency counts.</summary>
internal enum LatencyFrom
{
    /// <summary>When the request fell due by the clock, whether or not a connection was free.</summary>
    DueTime,

    /// <summary>When it was sent: a client that waits for its answer before it sends again has no other.</summary>
    Send,

    /// <summary>When the engine called the client, connecting and waiting for a connection included.</summary>
    Call,
}

/// <summary>What one population did.</summary>
internal sealed record PopulationResult(string Name, string Input, LatencyFrom LatencyFrom, Recorder Recorder)
{
    public string LatencyWords => LatencyFrom switch
    {
        LatencyFrom.DueTime => "from the due time",
        LatencyFrom.Send => "from the send",
        _ => "from the call",
    };

    public double ErrorRatio => Recorder.Failed == 0 ? 0 : (double)Recorder.Failed / (Recorder.Answered + Recorder.AnsweredLate + Recorder.Failed);

    public long P(double percentile) => Recorder.FromDue.TotalCount == 0 ? 0 : Recorder.FromDue.GetValueAtPercentile(percentile);

    public long SendP(double percentile) => Recorder.FromSend.TotalCount == 0 ? 0 : Recorder.FromSend.GetValueAtPercentile(percentile);
}

/// <summary>What a scenario's run came to. Rates are over <see cref="Window"/>; CPU is of the same window.</summary>
internal sealed record ScenarioResult
{
    public required string Scenario { get; init; }

    public required string Description { get; init; }

    public required string Engine { get; init; }

    public required string Target { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required TimeSpan Window { get; init; }

    public required IReadOnlyList<PopulationResult> Populations { get; init; }

    public required IReadOnlyList<UsagePoint> Usage { get; init; }

    /// <summary>CPU seconds of the server within the window; null when its process is not known.</summary>
    public double? ServerSeconds { get; init; }

    public double GeneratorSeconds { get; init; }

    public long? PeakAnonymousBytes { get; init; }

    public long Answered => Populations.Sum(p => p.Recorder.Answered);

    public long AnsweredLate => Populations.Sum(p => p.Recorder.AnsweredLate);

    public long Offered => Populations.Sum(p => p.Recorder.Offered);

    public long Failed => Populations.Sum(p => p.Recorder.Failed);

    public long Bytes => Populations.Sum(p => p.Recorder.Bytes);

    public double Rate => Answered / Window.TotalSeconds;

    /// <summary>The same over the second half of the window: a fresh server compiles its hot code in the first. Late answers are of no interval here.</summary>
    public double SettledRate
    {
        get
        {
            var half = Populations.SelectMany(p => p.Recorder.Timeline).Where(t => t.FromSeconds >= Window.TotalSeconds / 2 && t.ToSeconds <= Window.TotalSeconds + 0.5).ToArray();
            var seconds = half.Length == 0 ? 0 : half.Max(t => t.ToSeconds) - half.Min(t => t.FromSeconds);
            return seconds > 0 ? half.Sum(t => t.Answered) / seconds : Rate;
        }
    }

    public double MebibytesPerSecond => Bytes / 1048576.0 / Window.TotalSeconds;

    public double ErrorRatio => Failed == 0 ? 0 : (double)Failed / Math.Max(1, Answered + AnsweredLate + Failed);

    public double? ServerMicrosecondsPerRequest => Answered == 0 ? null : ServerSeconds * 1e6 / Answered;

    public double? ServerMillisecondsPerMebibyte => Bytes == 0 ? null : ServerSeconds * 1e3 / (Bytes / 1048576.0);

    public static double? PerThousand(double? seconds, long requests) => requests == 0 ? null : seconds * 1000 / requests;

    public static double? PerGigabyte(double? seconds, long bytes) => bytes == 0 ? null : seconds * 1e9 / bytes;

    /// <summary>Latency from the due time over all populations, in microseconds.</summary>
    public LongHistogram Latency()
    {
        var all = new LongHistogram(3_600_000_000, 3);
        foreach (var population in Populations)
        {
            all.Add(population.Recorder.FromDue);
        }

        return all;
    }
}
