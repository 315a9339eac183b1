using System.Globalization;
using System.Text;
using FastListener.Load.Inputs;
using FastListener.Load.Reports;

namespace FastListener.Load.Compare;

/// <summary>The comparison as Markdown: the README's performance section as it stands.</summary>
internal static class ComparisonReport
{
    public static string Render(ComparedRun run)
    {
        var text = new StringBuilder();
        Head(text, run);
        SummaryMatrix.Peers(text, run);
        SummaryMatrix.Alternatives(text, run);
        Goals(text, run);
        text.AppendLine("<details><summary>Every measurement, every server</summary>");
        foreach (var measurement in run.Measured)
        {
            Section(text, run.Steps, measurement);
        }

        text.AppendLine().AppendLine("</details>");
        Problems(text, run.Steps);
        return text.ToString();
    }

    private static void Head(StringBuilder text, ComparedRun run)
    {
        text.AppendLine("FastListener and what one would use instead, side by side on one machine, which the load generator shares.").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"- Machine: {run.From.Machine}.");
        if (run.From.Programs.Length > 0)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"- Beside it: {run.From.Programs}.");
        }

        var when = run.Steps.Count == 0 ? DateTimeOffset.UtcNow : run.Steps[0].At;
        text.AppendLine(CultureInfo.InvariantCulture, $"- Made by `{run.From.Command}`, begun on {when:yyyy-MM-dd HH:mm} UTC, revision {run.From.Revision}.");
        foreach (var line in run.From.Runtimes)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"- {line}");
        }

        if (run.Ended is not null || run.Missing.Length > 0)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"- **Not the whole comparison: {run.Ended ?? "steps are missing"}.**{run.Missing}");
        }

        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"Each figure is the median of the counted rounds, its range in brackets; a ratio is taken within each round, and then the median of those. A round gives every server a fresh directory and a fresh, warmed process, in an order shuffled anew; nothing is deleted within a round, except where it is said; the first round does not count. Where something is kept, everything acknowledged was read back after each step: files byte for byte, FastListener's objects through its `verify`, with size and XXH3-128 against the input, the C log's by itself, byte for byte. CPU is that of the server's processes; what kernel threads do for them (write-back, the journal) is in nobody's account, which flatters those who do not sync.{Inputs(run)}").AppendLine();
    }

    private static string Inputs(ComparedRun run)
    {
        var inputs = run.Measured.Select(m => InputCatalog.Get(m.Input).Description).Distinct().ToArray();
        return inputs.Length == 0 ? "" : $" Sent: {string.Join("; ", inputs)}.";
    }

    private static void Goals(StringBuilder text, ComparedRun run)
    {
        var goals = Goal.All.Select(goal => (Goal: goal, Value: goal.Value(run.Steps))).Where(g => g.Value is not null).ToArray();
        if (goals.Length == 0)
        {
            return;
        }

        MarkdownReport.Table(text, ["what FastListener asks of itself", "floor", "aim", "measured", "rounds", "", "ours", "theirs"], goals.Select(g => new[]
        {
            g.Goal.Words,
            g.Goal.Floor is { } floor ? Figures.Number(floor) : "",
            g.Goal.Aim is { } aim ? Figures.Number(aim) : "",
            Figures.Ratio(g.Value),
            g.Value!.Value.Rounds.ToString(CultureInfo.InvariantCulture),
            Judge(g.Goal, g.Value.Value.Median),
            Own(run.Steps, g.Goal, g.Goal.Peer),
            g.Goal.Against is { } peer ? Own(run.Steps, g.Goal, peer) : "",
        }));
        text.AppendLine();
    }

    private static string Own(IReadOnlyList<Step> steps, Goal goal, string peer) =>
        Spread.Own(steps, goal.Measurement, peer, goal.Figure) is { } own ? Figures.Own(own, goal.Figure) : "";

    private static void Section(StringBuilder text, IReadOnlyList<Step> steps, Measurement measurement)
    {
        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"#### {measurement.Title}").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"`{measurement.Key}`: {InputCatalog.Get(measurement.Input).Description}.{Notes(measurement)}").AppendLine();
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
            heads.Add("sessions resumed, %");
        }

        heads.AddRange(["rounds", "set up; what a 200 promises; read back"]);
        MarkdownReport.Table(text, [.. heads], measurement.AllPeers.Where(p => steps.Any(s => s.Measurement == measurement.Key && s.Peer == p)).Select(key =>
        {
            string Value(Figure of) => Figures.Bare(Spread.Own(steps, measurement.Key, key, of), of);
            string Ratio(Figure of) => key == first ? "" : Figures.Ratio(Spread.Ratio(steps, measurement.Key, first, key, of));
            var peer = PeerCatalog.Get(key);
            var row = new List<string>
            {
                peer.Title, Value(figure), Ratio(figure), Value(cpu), Ratio(cpu), peer.Stored == StoredAs.CLog ? "" : Value(Figure.P99), Value(Figure.AnonymousMebibytes),
            };
            if (measurement.Allocations)
            {
                row.Add(Value(Figure.AllocatedPerRequest));
            }

            if (measurement.Tls)
            {
                row.Add(Value(Figure.Resumed));
            }

            row.Add((Spread.Own(steps, measurement.Key, key, figure)?.Rounds ?? 0).ToString(CultureInfo.InvariantCulture));
            var last = steps.LastOrDefault(s => s.Measurement == measurement.Key && s.Peer == key && s.Problem is null);
            row.Add($"{peer.Settings}; {peer.Promise}{(last is null ? "" : $"; {last.ReadBack}")}");
            return row.ToArray();
        }));
    }

    private static string Notes(Measurement measurement)
    {
        var notes = "";
        if (measurement.DeleteAfterEachStep)
        {
            notes += " What was stored is deleted after each step, because memory is what counts here, and all rounds together would fill the disk; deleting slows whoever writes next, so its rates say less than the others'.";
        }

        if (measurement.HalfOfCapacity)
        {
            notes += " Each server first took as much as it could; all figures are of the stretch at half of that rate.";
        }

        if (measurement.MostRounds < int.MaxValue)
        {
            notes += string.Create(CultureInfo.InvariantCulture, $" Never more than {measurement.MostRounds} counted rounds.");
        }

        return notes;
    }

    private static void Problems(StringBuilder text, IReadOnlyList<Step> steps)
    {
        var problems = steps.Where(s => s.Problem is not null).ToArray();
        if (problems.Length == 0)
        {
            return;
        }

        text.AppendLine().AppendLine("#### Steps that do not count").AppendLine();
        foreach (var step in problems)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"- {step.Measurement}, {step.Peer}, round {step.Round}: {step.Problem}");
        }
    }

    private static string Judge(Goal goal, double value) => goal switch
    {
        { Floor: null } => "reported",
        { Aim: { } aim } when goal.Reaches(aim, value) => "aim reached",
        { Floor: { } floor } when goal.Reaches(floor, value) => "floor held",
        _ => "**below the floor**",
    };
}
