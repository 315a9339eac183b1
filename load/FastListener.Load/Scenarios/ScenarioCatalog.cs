using FastListener.Load.Inputs;
using FastListener.Load.Sockets;

namespace FastListener.Load.Scenarios;

/// <summary>What a caller may change about a scenario. Everything has an upper bound; see <see cref="ScenarioOptions.Checked"/>.</summary>
internal sealed record ScenarioOptions
{
    public const int MostConnections = 4000;
    public static readonly TimeSpan LongestRun = TimeSpan.FromMinutes(30);

    public const double MostRate = 200_000;

    /// <summary>More than twice the 12,620 a second that two cores were seen to take (README.md).</summary>
    public const double PeakUnlessMeasured = 30_000;

    public required LoopbackTarget Target { get; init; }

    public required string Token { get; init; }

    /// <summary>How long the scenario's own stages last together; null keeps the scenario's default.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Requests a second of an open loop with a steady rate; null keeps the scenario's default.</summary>
    public double? Rate { get; init; }

    /// <summary>Requests a second at the top of a storm, which <see cref="Rate"/> does not move; null takes <see cref="PeakUnlessMeasured"/>.</summary>
    public double? Peak { get; init; }

    public int? Connections { get; init; }

    /// <summary>Requests in all for closed loops that count; null keeps the scenario's default.</summary>
    public long? Requests { get; init; }

    public bool ResumeTls { get; init; } = true;

    /// <summary>Answers must say <c>"response":"ok"</c>.</summary>
    public bool CheckAnswer { get; init; } = true;

    /// <exception cref="ArgumentException">A bound is passed.</exception>
    public ScenarioOptions Checked()
    {
        if (Duration is { } duration && (duration <= TimeSpan.Zero || duration > LongestRun))
        {
            throw new ArgumentException($"A run lasts up to {LongestRun.TotalMinutes} minutes.");
        }

        if (Connections is < 1 or > MostConnections)
        {
            throw new ArgumentException($"Connections: 1 to {MostConnections}.");
        }

        if (Rate is <= 0 or > MostRate)
        {
            throw new ArgumentException("Rate: up to 200,000 a second.");
        }

        if (Peak is <= 0 or > MostRate)
        {
            throw new ArgumentException("Peak: up to 200,000 a second.");
        }

        return Requests is < 1 or > 10_000_000 ? throw new ArgumentException("Requests: 1 to 10,000,000.") : this;
    }
}

/// <summary>The scenarios, written once for both engines.</summary>
internal static class ScenarioCatalog
{
    private sealed record Entry(string Name, string Description, Func<ScenarioOptions, IReadOnlyList<Population>> Populations)
    {
        public double Seconds { get; init; } = 20;

        public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

        public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(10);
    }

    public const string Storm = "storm";

    /// <summary>What the server takes of the kind that a storm is made of.</summary>
    public const string StormCapacity = "one-connection-each";

    /// <summary>What waits when the peak is twice what the server takes is seven seconds of that; this is enough for a hundred thousand a second.</summary>
    private const int StormBacklog = 1_000_000;

    private static readonly TimeSpan s_capacityTakes = TimeSpan.FromSeconds(10);

    private static readonly Entry[] s_entries =
    [
        new("small-raw", "A 20 KiB dump as the raw body, 64 kept connections, as fast as they go",
            o => [Closed(o, "raw dumps", "raw-20k", 64)]),
        new("crashpad", "What Crashpad sends by default: 45 attributes and a dump through gzip, chunked; due at a steady rate",
            o => [Open(o, "Crashpad handlers", "crashpad-gzip", [(1, 1, 1)], 500, 256)]),
        new("multipart-1m", "A form of 1 MiB, 16 kept connections, as fast as they go",
            o => [Closed(o, "forms of 1 MiB", "form-1m", 16)]),
        new("dump-256m", "Forms of 256 MiB, two at once, counted",
            o => [Closed(o, "dumps of 256 MiB", "form-256m", 2, requests: 8)])
            { Seconds = 120, RequestTimeout = TimeSpan.FromMinutes(3) },
        new("attachments", "A crash with log, settings and screenshot in one form, then a second log for the same object; due at a steady rate",
            o => [Open(o, "crash, then late log", "form-attachments", [(1, 1, 1)], 200, 128) with { FollowUp = Late(o) }]),
        new("json-attachments", "A JSON report as a file part with three attachments; due at a steady rate",
            o => [Open(o, "managed clients", "json-attachments", [(1, 1, 1)], 300, 128)]),
        new(StormCapacity, "A new connection for every 20 KiB crash, 64 at a time, as fast as they go",
            o => [Closed(o, "crashing phones", "form-20k", 64, each: true)]),
        new("keep-alive", "20 KiB forms on 64 kept connections, as fast as they go",
            o => [Closed(o, "kept connections", "form-20k", 64)]),
        new("tls-each", "A new TLS connection for every 20 KiB crash, 32 at a time (aim at the https port)",
            o => [Closed(o, "crashing phones, TLS", "form-20k", 32, each: true)]),
        new(Storm, "Crashes of 20 KiB, a connection each: from a twentieth of the peak up to it (past what the server can take), and back; all of it must be answered in the end",
            o => [Open(o with { Rate = o.Peak ?? ScenarioOptions.PeakUnlessMeasured }, "crash storm", "form-20k", [(0.05, 0.05, 0.15), (0.05, 1, 0.15), (1, 1, 0.1), (1, 0.05, 0.15), (0.05, 0.05, 0.45)], ScenarioOptions.PeakUnlessMeasured, 1024, each: true, backlog: StormBacklog)])
            { Seconds = 40, Drain = TimeSpan.FromMinutes(1) },
        new("slow-phones", "About 200 phones sending 20 KiB at 4 KiB/s each among fast clients at a steady rate",
            o =>
            [
                Open(o, "fast clients", "form-20k", [(1, 1, 1)], 1000, 128),
                Open(o with { Rate = null, Connections = null }, "slow phones", "form-20k", [(1, 1, 1)], 40, 400, each: true) with { BytesPerSecond = 4096 },
            ]),
        new("bad-tokens", "One crash in ten comes with a token nobody knows and must get its 403; the others must not notice",
            o =>
            [
                Open(o, "good tokens", "form-20k", [(0.9, 0.9, 1)], 1000, 128),
                Open(o with { Token = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", CheckAnswer = false }, "bad tokens", "form-20k", [(0.1, 0.1, 1)], 1000, 64, each: true, expected: [403]),
            ]),
    ];

    public static IEnumerable<(string Name, string Description)> All => s_entries.Select(e => (e.Name, e.Description));

    /// <exception cref="ArgumentException">No such scenario, or an option out of bounds.</exception>
    public static Scenario Build(string name, ScenarioOptions options, ulong firstSequence)
    {
        var entry = s_entries.FirstOrDefault(e => e.Name == name)
            ?? throw new ArgumentException($"There is no scenario named {name}; known are {string.Join(", ", s_entries.Select(e => e.Name))}.");
        options = options.Checked();
        options = options with { Duration = options.Duration ?? TimeSpan.FromSeconds(entry.Seconds) };
        return new Scenario
        {
            Name = entry.Name,
            Description = name == Storm ? FormattableString.Invariant($"{entry.Description}; peak {options.Peak ?? ScenarioOptions.PeakUnlessMeasured:#,0}/s") : entry.Description,
            Target = options.Target,
            Populations = entry.Populations(options),
            RequestTimeout = entry.RequestTimeout,
            Drain = entry.Drain,
            FirstSequence = firstSequence,
        };
    }

    /// <summary>Options for <see cref="StormCapacity"/> before a storm: ten seconds at most, and the scenario's own counts.</summary>
    public static ScenarioOptions ToMeasureCapacity(ScenarioOptions options) =>
        options with { Duration = options.Duration is { } storm && storm < s_capacityTakes ? storm : s_capacityTakes, Connections = null, Requests = null };

    private static Population Closed(ScenarioOptions options, string name, string input, int connections, bool each = false, long? requests = null)
    {
        var open = options.Connections ?? connections;
        var counted = options.Requests ?? requests;
        return new Population
        {
            Name = name,
            Request = Request(options, InputCatalog.Get(input), each, [200]),
            Workload = new ClosedLoop(open, options.Duration!.Value, counted is { } all ? Math.Max(1, all / open) : long.MaxValue),
            OneConnectionEach = each,
            ResumeTls = options.ResumeTls,
        };
    }

    private static Population Open(
        ScenarioOptions options, string name, string input, (double From, double To, double Share)[] stages, double rate, int connections, bool each = false, int[]? expected = null,
        int backlog = 200_000)
    {
        rate = options.Rate ?? rate;
        return new Population
        {
            Name = name,
            Request = Request(options, InputCatalog.Get(input), each, expected ?? [200]),
            Workload = new OpenLoop([.. stages.Select(s => new RateStage(s.From * rate, s.To * rate, options.Duration!.Value * s.Share))], options.Connections ?? connections, backlog),
            OneConnectionEach = each,
            ResumeTls = options.ResumeTls,
        };
    }

    private static RequestTemplate Request(ScenarioOptions options, SubmissionBody body, bool closes, int[] expected) =>
        RequestTemplate.Build(
            body,
            "POST",
            $"/post?format={body.Format}&token={options.Token}&seq={RequestTemplate.SequenceMark}",
            options.Target.Host,
            closes,
            expected,
            options.CheckAnswer ? "\"response\":\"ok\""u8.ToArray() : null);

    private static RequestTemplate Late(ScenarioOptions options) =>
        RequestTemplate.Build(
            InputCatalog.Get("log-8k"),
            "POST",
            $"/post?object={RequestTemplate.ObjectMark}&attachment_name=late.log&token={options.Token}&seq={RequestTemplate.SequenceMark}",
            options.Target.Host,
            closes: false,
            [200],
            "\"response\":\"ok\""u8.ToArray());
}
