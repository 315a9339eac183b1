using System.Text.Json;
using System.Text.Json.Serialization;

namespace FastListener.Load.Measuring;

/// <summary>One limit and whether a run kept it.</summary>
internal sealed record Verdict(string Scenario, string Text, bool Held);

/// <summary>Limits of one scenario; what is absent is not judged.</summary>
internal sealed record Limits
{
    /// <summary>Requests answered as hoped, a second.</summary>
    public double? MinRatePerSecond { get; init; }

    public double? MaxP50Milliseconds { get; init; }

    public double? MaxP99Milliseconds { get; init; }

    /// <summary>Failed requests of all that ended; 0 allows none.</summary>
    public double? MaxErrorRatio { get; init; }

    public double? MaxServerCoreSecondsPerThousand { get; init; }

    public double? MaxServerCoreSecondsPerGigabyte { get; init; }

    public double? MaxAnonymousMebibytes { get; init; }
}

/// <summary>Limits per scenario, from a file; the entry "*" is for those without one. Judged here for either engine.</summary>
internal sealed class Thresholds(IReadOnlyDictionary<string, Limits> limits)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    public static Thresholds None { get; } = new(new Dictionary<string, Limits> { ["*"] = new() { MaxErrorRatio = 0 } });

    /// <exception cref="JsonException">The file is not what it should be.</exception>
    public static Thresholds Load(string path) =>
        new(JsonSerializer.Deserialize<Dictionary<string, Limits>>(File.ReadAllText(path), s_json) ?? []);

    public IReadOnlyList<Verdict> Judge(ScenarioResult result)
    {
        var verdicts = new List<Verdict>();
        if (!limits.TryGetValue(result.Scenario, out var limit) && !limits.TryGetValue("*", out limit))
        {
            return verdicts;
        }

        var latency = result.Latency();
        AtLeast("rate", limit.MinRatePerSecond, result.Rate, "/s");
        AtMost("p50", limit.MaxP50Milliseconds, latency.TotalCount == 0 ? double.NaN : latency.GetValueAtPercentile(50) / 1000.0, "ms");
        AtMost("p99", limit.MaxP99Milliseconds, latency.TotalCount == 0 ? double.NaN : latency.GetValueAtPercentile(99) / 1000.0, "ms");
        AtMost("failed", limit.MaxErrorRatio * 100, result.ErrorRatio * 100, "%");
        AtMost("server core-seconds per 1,000", limit.MaxServerCoreSecondsPerThousand, ScenarioResult.PerThousand(result.ServerSeconds, result.Answered) ?? double.NaN, "s");
        AtMost("server core-seconds per GB", limit.MaxServerCoreSecondsPerGigabyte, ScenarioResult.PerGigabyte(result.ServerSeconds, result.Bytes) ?? double.NaN, "s");
        AtMost("anonymous memory", limit.MaxAnonymousMebibytes, result.PeakAnonymousBytes / 1048576.0 ?? double.NaN, "MiB");
        return verdicts;

        void AtMost(string what, double? most, double value, string unit) => Add(what, most, value, unit, "at most", value <= most);
        void AtLeast(string what, double? least, double value, string unit) => Add(what, least, value, unit, "at least", value >= least);
        void Add(string what, double? bound, double value, string unit, string word, bool held)
        {
            if (bound is { } b)
            {
                var text = double.IsNaN(value)
                    ? FormattableString.Invariant($"{what}: not measured, {word} {b:0.###} {unit} asked")
                    : FormattableString.Invariant($"{what}: {value:0.###} {unit}, {word} {b:0.###} {unit} asked");
                verdicts.Add(new Verdict(result.Scenario, text, held));
            }
        }
    }
}
