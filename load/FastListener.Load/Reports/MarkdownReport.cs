using System.Globalization;
using System.Text;
using FastListener.Load.Measuring;

namespace FastListener.Load.Reports;

/// <summary>The same as Markdown, its charts as SVG files beside it.</summary>
internal static class MarkdownReport
{
    public static string Write(ReportedRun run, string directory)
    {
        Directory.CreateDirectory(directory);
        var text = new StringBuilder();
        text.AppendLine("# FastListener under load").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"{run.Results[0].StartedAt:yyyy-MM-dd HH:mm} UTC; {run.Machine}; engine {run.Results[0].Engine}; server {run.Results[0].Target}").AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"    {run.Command}").AppendLine();
        text.AppendLine(run.Notes).AppendLine();
        Table(text, SummaryTable.ScenarioHeads, run.Results.Select(SummaryTable.ScenarioRow));
        foreach (var result in run.Results)
        {
            Section(text, run, result, directory);
        }

        var path = Path.Combine(directory, "report.md");
        File.WriteAllText(path, text.ToString());
        return path;
    }

    private static void Section(StringBuilder text, ReportedRun run, ScenarioResult result, string directory)
    {
        text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"## {result.Scenario}").AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{result.Description}.").AppendLine();
        foreach (var verdict in run.Verdicts.Where(v => v.Scenario == result.Scenario))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"- {(verdict.Held ? "held" : "**broken**")}: {verdict.Text}");
        }

        text.AppendLine();
        Table(text, SummaryTable.PopulationHeads, result.Populations.Select(SummaryTable.PopulationRow));
        text.AppendLine();
        foreach (var population in result.Populations)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"- {population.Name}: {population.Input}");
            foreach (var (reason, count) in population.Recorder.Errors.OrderByDescending(e => e.Value))
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"  - {count:#,0} x {reason}");
            }
        }

        foreach (var (name, chart) in ScenarioCharts.Of(result))
        {
            var file = $"{result.Scenario}-{name}.svg";
            File.WriteAllText(Path.Combine(directory, file), chart.Render());
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"![{chart.Title}]({file})");
        }
    }

    public static void Table(StringBuilder text, string[] heads, IEnumerable<string[]> rows, int textColumns = 1)
    {
        text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", heads)} |");
        text.AppendLine(CultureInfo.InvariantCulture, $"|{string.Concat(heads.Select((_, i) => i < textColumns ? "---|" : "--:|"))}");
        foreach (var row in rows)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row)} |");
        }
    }
}
