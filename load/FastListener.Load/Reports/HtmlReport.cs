using System.Globalization;
using System.Text;
using FastListener.Load.Measuring;

namespace FastListener.Load.Reports;

/// <summary>The whole run on one page that needs no other file.</summary>
internal static class HtmlReport
{
    private const string Style = """
        :root { color-scheme: light; }
        body { font: 15px/1.5 system-ui, 'DejaVu Sans', sans-serif; color: #1f2933; background: #f5f7fa; margin: 0; }
        main { max-width: 1500px; margin: 0 auto; padding: 28px 32px 60px; }
        h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 0; }
        p { margin: 4px 0; } .quiet { color: #52606d; font-size: 13.5px; }
        code { font: 12.5px ui-monospace, 'DejaVu Sans Mono', monospace; background: #e4e7eb; padding: 1px 5px; border-radius: 3px; overflow-wrap: anywhere; }
        section { background: #fff; border: 1px solid #e4e7eb; border-radius: 8px; padding: 18px 22px; margin: 20px 0; }
        .wide { overflow-x: auto; margin-top: 12px; }
        table { border-collapse: collapse; font-size: 13px; white-space: nowrap; }
        th, td { padding: 5px 11px; text-align: right; border-bottom: 1px solid #e4e7eb; font-variant-numeric: tabular-nums; }
        th { color: #52606d; font-weight: 600; }
        th:first-child, td:first-child, .text { text-align: left; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(520px, 100%), 1fr)); gap: 14px; margin-top: 14px; }
        .charts svg { width: 100%; height: auto; border: 1px solid #e4e7eb; border-radius: 6px; }
        .held { color: #0b6e4f; } .broken { color: #b3261e; font-weight: 600; }
        .badge { display: inline-block; padding: 2px 10px; border-radius: 10px; font-size: 13px; font-weight: 600; }
        .badge.held { background: #dcf5e7; } .badge.broken { background: #fbe3e1; }
        @media (max-width: 700px) { main { padding: 16px 12px 40px; } section { padding: 14px; } }
        ul { margin: 8px 0 0; padding-left: 20px; font-size: 13.5px; }
        """;

    public static string Write(ReportedRun run, string directory)
    {
        Directory.CreateDirectory(directory);
        var path = Path.Combine(directory, "report.html");
        File.WriteAllText(path, Render(run));
        return path;
    }

    public static string Render(ReportedRun run)
    {
        var html = new StringBuilder();
        var broken = run.Verdicts.Count(v => !v.Held);
        html.Append(CultureInfo.InvariantCulture, $"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>FastListener load report</title><style>{Style}</style></head><body><main>");
        html.Append("<h1>FastListener under load ");
        html.Append(run.Verdicts.Count == 0 ? "" : broken == 0
            ? "<span class=\"badge held\">all limits held</span>"
            : string.Create(CultureInfo.InvariantCulture, $"<span class=\"badge broken\">{broken} of {run.Verdicts.Count} limits broken</span>"));
        html.Append("</h1>");
        html.Append(CultureInfo.InvariantCulture, $"<p class=\"quiet\">{run.Results[0].StartedAt:yyyy-MM-dd HH:mm} UTC · {E(run.Machine)} · engine {E(run.Results[0].Engine)} · server {E(run.Results[0].Target)}</p>");
        html.Append(CultureInfo.InvariantCulture, $"<p class=\"quiet\"><code>{E(run.Command)}</code></p>");
        html.Append(CultureInfo.InvariantCulture, $"<p class=\"quiet\">{E(run.Notes)}</p>");

        html.Append("<section><h2>At a glance</h2><div class=\"wide\">");
        Table(html, SummaryTable.ScenarioHeads, run.Results.Select(SummaryTable.ScenarioRow));
        html.Append("</div></section>");

        foreach (var result in run.Results)
        {
            Section(html, run, result);
        }

        return html.Append("</main></body></html>\n").ToString();
    }

    private static void Section(StringBuilder html, ReportedRun run, ScenarioResult result)
    {
        html.Append(CultureInfo.InvariantCulture, $"<section><h2>{E(result.Scenario)}</h2><p>{E(result.Description)}.</p>");
        var verdicts = run.Verdicts.Where(v => v.Scenario == result.Scenario).ToArray();
        if (verdicts.Length > 0)
        {
            html.Append("<ul>");
            foreach (var verdict in verdicts)
            {
                html.Append(CultureInfo.InvariantCulture, $"<li class=\"{(verdict.Held ? "held" : "broken")}\">{(verdict.Held ? "held" : "broken")} · {E(verdict.Text)}</li>");
            }

            html.Append("</ul>");
        }

        html.Append("<div class=\"wide\">");
        Table(html, SummaryTable.PopulationHeads, result.Populations.Select(SummaryTable.PopulationRow));
        html.Append("</div>");
        foreach (var population in result.Populations)
        {
            html.Append(CultureInfo.InvariantCulture, $"<p class=\"quiet\">{E(population.Name)}: {E(population.Input)}.</p>");
        }

        var errors = result.Populations.SelectMany(p => p.Recorder.Errors.Select(e => (p.Name, Reason: e.Key, Count: e.Value))).OrderByDescending(e => e.Count).ToArray();
        if (errors.Length > 0)
        {
            html.Append("<ul>");
            foreach (var (name, reason, count) in errors)
            {
                html.Append(CultureInfo.InvariantCulture, $"<li class=\"broken\">{count:#,0} × {E(reason)} ({E(name)})</li>");
            }

            html.Append("</ul>");
        }
        else
        {
            html.Append("<p class=\"quiet\">No request failed.</p>");
        }

        html.Append("<div class=\"charts\">");
        foreach (var (_, chart) in ScenarioCharts.Of(result))
        {
            html.Append(chart.Render());
        }

        html.Append("</div></section>");
    }

    private static void Table(StringBuilder html, string[] heads, IEnumerable<string[]> rows, int textColumns = 1)
    {
        html.Append("<table><thead><tr>");
        for (var i = 0; i < heads.Length; i++)
        {
            html.Append(CultureInfo.InvariantCulture, $"<th{(i < textColumns ? " class=\"text\"" : "")}>{E(heads[i])}</th>");
        }

        html.Append("</tr></thead><tbody>");
        foreach (var row in rows)
        {
            html.Append("<tr>");
            for (var i = 0; i < row.Length; i++)
            {
                html.Append(CultureInfo.InvariantCulture, $"<td{(i < textColumns ? " class=\"text\"" : "")}>{E(row[i])}</td>");
            }

            html.Append("</tr>");
        }

        html.Append("</tbody></table>");
    }

    private static string E(string text) => SvgChart.Escape(text);
}
