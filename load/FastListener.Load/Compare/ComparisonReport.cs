using System.Globalization;
using System.Text;
using FastListener.Load.Measuring;
using FastListener.Load.Reports;

namespace FastListener.Load.Compare;

/// <summary>The comparison as Markdown: what the README's performance section is made of.</summary>
internal static class ComparisonReport
{
    public static string Render(IReadOnlyList<Step> steps, IReadOnlyList<Measurement> measurements, string command, string revision, string work)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"Machine: {Machine.Describe(work)}.  ");
        text.AppendLine(CultureInfo.InvariantCulture, $"Made by `{command}` on {DateTimeOffset.UtcNow:yyyy-MM-dd}, revision {revision}.").AppendLine();
        text.AppendLine("Servers and load generator share the machine. Each figure is the median of the counted rounds, its range in brackets; a ratio is taken within each round and then the median of those. A round gives every peer a fresh directory and a fresh, warmed process, in an order shuffled anew; nothing is deleted within a round; the first round does not count. After each step everything acknowledged was read back: files byte for byte, FastListener's objects through its `verify`, with size and XXH3-128 against the input. CPU is that of the server's processes; what kernel threads do for them (write-back, the journal) is in nobody's account, which flatters those who do not sync.").AppendLine();

        var goals = Goal.All.Select(goal => (Goal: goal, Value: goal.Against is null
            ? Spread.Own(steps, goal.Measurement, goal.Peer, goal.Figure)
            : Spread.Ratio(steps, goal.Measurement, goal.Peer, goal.Against, goal.Figure))).Where(g => g.Value is not null).ToArray();
        if (goals.Length > 0)
        {
            MarkdownReport.Table(text, ["FastListener, durable", "floor", "aim", "measured", "rounds", ""], goals.Select(g => new[]
            {
                g.Goal.Words,
                g.Goal.Floor is { } floor ? Number(floor) : "",
                g.Goal.Aim is { } aim ? Number(aim) : "",
                Range(g.Value!.Value, Number),
                g.Value.Value.Rounds.ToString(CultureInfo.InvariantCulture),
                Judge(g.Goal, g.Value.Value.Median),
            }));
        }

        foreach (var measurement in measurements.Where(m => steps.Any(s => s.Measurement == m.Key)))
        {
            Section(text, steps, measurement);
        }

        var problems = steps.Where(s => s.Problem is not null).ToArray();
        if (problems.Length > 0)
        {
            text.AppendLine().AppendLine("#### Steps that do not count").AppendLine();
            foreach (var step in problems)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"- {step.Measurement}, {step.Peer}, round {step.Round}: {step.Problem}");
            }
        }

        return text.ToString();
    }

    /// <summary>True when no step failed and every judged goal reached its floor.</summary>
    public static bool Holds(IReadOnlyList<Step> steps) =>
        steps.All(s => s.Problem is null) && Goal.All.All(goal =>
        {
            var value = goal.Against is null
                ? Spread.Own(steps, goal.Measurement, goal.Peer, goal.Figure)
                : Spread.Ratio(steps, goal.Measurement, goal.Peer, goal.Against, goal.Figure);
            return value is null || goal.Floor is not { } floor || (goal.HigherIsBetter ? value.Value.Median >= floor : value.Value.Median <= floor);
        });

    private static void Section(StringBuilder text, IReadOnlyList<Step> steps, Measurement measurement)
    {
        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"#### {measurement.Title}").AppendLine();
        var first = measurement.Peers[0];
        var large = measurement.Input is "form-256m" or "form-1g" or "form-256k";
        var figure = large ? Figure.MebibytesPerSecond : Figure.Rate;
        var cpu = large ? Figure.CpuPerMebibyte : Figure.CpuPerRequest;
        var heads = new List<string> { "server", large ? "MiB/s" : "acknowledged/s", "ours / theirs", large ? "server CPU, ms per MiB" : "server CPU, us each", "ours / theirs", "p99, ms", "anonymous MiB" };
        if (measurement.Allocations)
        {
            heads.Add("allocated, bytes each");
        }

        if (measurement.Tls)
        {
            heads.Add("sessions resumed");
        }

        heads.Add("its promise, and the read-back");
        MarkdownReport.Table(text, [.. heads], measurement.Peers.Where(p => steps.Any(s => s.Measurement == measurement.Key && s.Peer == p)).Select(key =>
        {
            var peer = PeerCatalog.Get(key);
            var last = steps.LastOrDefault(s => s.Measurement == measurement.Key && s.Peer == key && s.Problem is null);
            var row = new List<string>
            {
                peer.Title,
                Cell(Spread.Own(steps, measurement.Key, key, figure), Number),
                key == first ? "" : Cell(Spread.Ratio(steps, measurement.Key, first, key, figure), Number),
                Cell(Spread.Own(steps, measurement.Key, key, cpu), Number),
                key == first ? "" : Cell(Spread.Ratio(steps, measurement.Key, first, key, cpu), Number),
                peer.Stored == StoredAs.CLog ? "" : Cell(Spread.Own(steps, measurement.Key, key, Figure.P99), Number),
                Cell(Spread.Own(steps, measurement.Key, key, Figure.AnonymousMebibytes), Number),
            };
            if (measurement.Allocations)
            {
                row.Add(Cell(Spread.Own(steps, measurement.Key, key, Figure.AllocatedPerRequest), Number));
            }

            if (measurement.Tls)
            {
                row.Add(last?.Resumed is { } resumed ? string.Create(CultureInfo.InvariantCulture, $"{resumed * 100:0} %") : "");
            }

            row.Add(last is null ? peer.Promise : $"{peer.Promise} ({last.ReadBack})");
            return row.ToArray();
        }));
    }

    private static string Judge(Goal goal, double value)
    {
        bool Reaches(double bound) => goal.HigherIsBetter ? value >= bound : value <= bound;
        return goal switch
        {
            { Floor: null } => "reported",
            { Aim: { } aim } when Reaches(aim) => "aim reached",
            { Floor: { } floor } when Reaches(floor) => "floor held",
            _ => "**below the floor**",
        };
    }

    private static string Cell(Spread? spread, Func<double, string> format) => spread is { } s ? Range(s, format) : "";

    private static string Range(Spread spread, Func<double, string> format) =>
        spread.Rounds == 1 ? format(spread.Median) : $"{format(spread.Median)} [{format(spread.Low)}-{format(spread.High)}]";

    private static string Number(double value) => Math.Abs(value) switch
    {
        >= 1000 => string.Create(CultureInfo.InvariantCulture, $"{value:#,0}"),
        >= 100 => string.Create(CultureInfo.InvariantCulture, $"{value:0}"),
        >= 10 => string.Create(CultureInfo.InvariantCulture, $"{value:0.#}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value:0.##}"),
    };
}
