using System.Text.Json;
using System.Text.Json.Serialization;

namespace FastListener.Load.Measuring;

/// <summary>One limit and whether a run kept it.</summary>
internal sealed record Verdict(string Scenario, string Text, bool Held);

/// <summary>Limits of one scenario, or of one of its populations; what is absent is not judged, except failed requests: none may fail unless a limit allows some.</summary>
internal sealed record Limits
{
    /// <summary>Requests answered as hoped, a second.</summary>
    public double? MinRatePerSecond { get; init; }

    public double? MaxP50Milliseconds { get; init; }

    public double? MaxP99Milliseconds { get; init; }

    /// <summary>Failed requests of all that ended; 0 allows none.</summary>
    public double? MaxErrorRatio { get; init; }

    /// <summary>Of the whole scenario only.</summary>
    public double? MaxServerCoreSecondsPerThousand { get; init; }

    /// <summary>Of the whole scenario only.</summary>
    public double? MaxServerCoreSecondsPerGigabyte { get; init; }

    /// <summary>Of the whole scenario only.</summary>
    public double? MaxAnonymousMebibytes { get; init; }

    /// <summary>Limits for single populations, by name: where slow or refused clients are mixed in, only the others' latency says something.</summary>
    public IReadOnlyDictionary<string, Limits>? Populations { get; init; }
}

/// <summary>Limits per scenario, from a file; the entry "*" is for those without one. Judged here for either engine.</summary>
internal sealed class Thresholds(IReadOnlyDictionary<string, Limits> limits)
{
    private const string Others = "*";

    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>No request may fail.</summary>
    public static Thresholds None { get; } = new(new Dictionary<string, Limits> { [Others] = new() });

    /// <param name="path">The file.</param>
    /// <param name="scenarios">Scenarios there are: an entry for another is an error, since nobody would ever be judged by it.</param>
    /// <exception cref="JsonException">The file is not what it should be.</exception>
    public static Thresholds Load(string path, IEnumerable<string> scenarios) => Parse(File.ReadAllText(path), scenarios);

    /// <inheritdoc cref="Load"/>
    public static Thresholds Parse(string json, IEnumerable<string> scenarios)
    {
        var read = JsonSerializer.Deserialize<Dictionary<string, Limits?>>(json, s_json) ?? [];
        var unknown = read.Keys.Except([.. scenarios, Others]).ToArray();
        if (unknown.Length > 0)
        {
            throw new JsonException($"Thresholds for scenarios that do not exist: {string.Join(", ", unknown)}.");
        }

        foreach (var (name, entry) in read)
        {
            if (entry is null || entry.Populations?.Values.Any(v => v is null) == true)
            {
                throw new JsonException($"Thresholds for {name}: null is no set of limits.");
            }

            if (entry.Populations?.Values.Any(WantsScenario) == true)
            {
                throw new JsonException($"Thresholds for {name}: core-seconds and memory are the whole scenario's, not a population's.");
            }
        }

        return new Thresholds(read.ToDictionary(e => e.Key, e => e.Value!));
    }

    /// <summary>One verdict for each limit that applies. What was not measured does not hold, nor does a run in which nothing was answered.</summary>
    public IReadOnlyList<Verdict> Judge(ScenarioResult result)
    {
        var limit = limits.GetValueOrDefault(result.Scenario) ?? limits.GetValueOrDefault(Others) ?? new Limits();
        var verdicts = new List<Verdict>();
        var latency = result.Latency();
        if (latency.TotalCount == 0)
        {
            verdicts.Add(new Verdict(result.Scenario, "nothing was answered as hoped", false));
        }

        AtLeast("rate", limit.MinRatePerSecond, result.Rate, "/s");
        AtMost("p50", limit.MaxP50Milliseconds, latency.TotalCount == 0 ? double.NaN : latency.GetValueAtPercentile(50) / 1000.0, "ms");
        AtMost("p99", limit.MaxP99Milliseconds, latency.TotalCount == 0 ? double.NaN : latency.GetValueAtPercentile(99) / 1000.0, "ms");
        AtMost("failed", (limit.MaxErrorRatio ?? 0) * 100, result.ErrorRatio * 100, "%");
        AtMost("server core-seconds per 1,000", limit.MaxServerCoreSecondsPerThousand, ScenarioResult.PerThousand(result.ServerSeconds, result.Answered) ?? double.NaN, "s");
        AtMost("server core-seconds per GB", limit.MaxServerCoreSecondsPerGigabyte, ScenarioResult.PerGigabyte(result.ServerSeconds, result.Bytes) ?? double.NaN, "s");
        AtMost("anonymous memory", limit.MaxAnonymousMebibytes, result.PeakAnonymousBytes / 1048576.0 ?? double.NaN, "MiB");
        foreach (var (name, own) in limit.Populations ?? new Dictionary<string, Limits>())
        {
            if (result.Populations.FirstOrDefault(p => p.Name == name) is not { } population)
            {
                verdicts.Add(new Verdict(result.Scenario, $"{name}: there are no such clients in this scenario", false));
                continue;
            }

            var any = population.Recorder.FromDue.TotalCount > 0;
            AtLeast($"{name}: rate", own.MinRatePerSecond, population.Recorder.Answered / result.Window.TotalSeconds, "/s");
            AtMost($"{name}: p50", own.MaxP50Milliseconds, any ? population.P(50) / 1000.0 : double.NaN, "ms");
            AtMost($"{name}: p99", own.MaxP99Milliseconds, any ? population.P(99) / 1000.0 : double.NaN, "ms");
            AtMost($"{name}: failed", own.MaxErrorRatio * 100, population.ErrorRatio * 100, "%");
        }

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

    private static bool WantsScenario(Limits limits) =>
        limits.MaxServerCoreSecondsPerThousand is not null || limits.MaxServerCoreSecondsPerGigabyte is not null || limits.MaxAnonymousMebibytes is not null || limits.Populations is not null;
}
