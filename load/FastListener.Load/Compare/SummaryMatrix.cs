using System.Globalization;
using System.Text;
using FastListener.Load.Reports;

namespace FastListener.Load.Compare;

/// <summary>The tables to be read first: a row for each figure, a column for each kind of server to compare with.</summary>
internal static class SummaryMatrix
{
    private sealed record Row(string Measurement, Figure Figure, string Peer = "fastlistener", string Of = "");

    /// <summary>The peers of a column: the one that takes part in a measurement stands for it there.</summary>
    private sealed record Column(string Head, params string[] Peers);

    private static readonly Row[] s_rows =
    [
        new("small-keep-alive", Figure.Rate),
        new("small-keep-alive", Figure.CpuPerRequest),
        new("small-each", Figure.Rate),
        new("small-each", Figure.CpuPerRequest),
        new("small-one", Figure.Rate),
        new("small-one", Figure.CpuPerRequest),
        new("parse", Figure.CpuPerRequest, "fastlistener-parsers", "receiving and parsing alone, "),
        new("parse", Figure.CpuPerRequest, "fastlistener-parse", "all but the disk, against peers that forget what they read, "),
        new("medium", Figure.MebibytesPerSecond),
        new("medium", Figure.CpuPerMebibyte),
        new("large", Figure.MebibytesPerSecond),
        new("large", Figure.CpuPerMebibyte),
        new("memory", Figure.MebibytesPerSecond),
        new("memory", Figure.AnonymousMebibytes),
        new("gzip", Figure.Rate),
        new("gzip", Figure.CpuPerRequest),
        new("tls-each", Figure.Rate),
        new("tls-each", Figure.CpuPerRequest),
        new("tls-each", Figure.Resumed),
        new("half", Figure.P99),
        new("half", Figure.Rate),
        new("allocations-keep-alive", Figure.AllocatedPerRequest),
        new("allocations-each", Figure.AllocatedPerRequest),
    ];

    private static readonly Column[] s_peers =
    [
        new("ASP.NET Core, MultipartReader, tuned", "aspnet-tuned", "aspnet-gzip", "aspnet-parse"),
        new("the same, the Web SDK's runtime settings", "aspnet-tuned-sdk", "aspnet-gzip-sdk", "aspnet-parse-sdk"),
        new("ASP.NET Core, MultipartReader, as documented", "aspnet-documented", "aspnet-parse-documented"),
        new("ASP.NET Core, ReadFormAsync", "aspnet-form"),
        new("the same, the Web SDK's runtime settings", "aspnet-form-sdk"),
        new("Node, busboy", "node", "node-gzip"),
        new("nginx PUT, not synced", "nginx"),
        new("bare C, log: the limit", "c-log", "c-log-1"),
        new("bare C, socket to file: the limit", "c-receiver"),
    ];

    private static readonly Column[] s_alternatives =
    [
        new("Kestrel's transport", "fastlistener-kestrel"),
        new("packs through the page cache", "fastlistener-buffered"),
        new("large files past the page cache", "fastlistener-direct"),
    ];

    /// <summary>FastListener against the others.</summary>
    public static void Peers(StringBuilder text, ComparedRun run) => Table(text, run, "ours / theirs", s_peers, [.. s_rows.Where(r => Own(run, r) is not null)]);

    /// <summary>FastListener as it comes against itself with another setting.</summary>
    public static void Alternatives(StringBuilder text, ComparedRun run) => Table(
        text, run, "as it comes / with the other setting", s_alternatives, [.. s_rows.Where(r => s_alternatives.Any(c => Theirs(run, r, c) is not null && Own(run, r) is not null))]);

    private static void Table(StringBuilder text, ComparedRun run, string head, Column[] known, Row[] rows)
    {
        var columns = known.Where(c => rows.Any(r => Theirs(run, r, c) is not null)).ToArray();
        if (rows.Length == 0)
        {
            return;
        }

        var ours = PeerCatalog.Get("fastlistener");
        var lines = new List<string[]>
        {
            Line("*set up*", columns.Select(c => First(run, c).Settings), ours.Settings, ""),
            Line("*a 200 promises*", columns.Select(c => First(run, c).Promise), ours.Promise, ""),
        };
        foreach (var row in rows)
        {
            var own = Own(run, row)!.Value;
            lines.Add(Line(
                Words(run, row, lines.Count > 2 && rows[lines.Count - 3].Measurement == row.Measurement),
                columns.Select(column => Cell(run, row, Theirs(run, row, column))),
                Figures.Own(own, row.Figure),
                own.Rounds.ToString(CultureInfo.InvariantCulture)));
        }

        MarkdownReport.Table(text, Line(head, columns.Select(c => c.Head), "ours", "rounds"), lines);
        text.AppendLine();
    }

    private static string[] Line(string first, IEnumerable<string> columns, string ours, string rounds) => [first, .. columns, ours, rounds];

    private static string Words(ComparedRun run, Row row, bool again)
    {
        var title = again ? "the same" : run.Measurements.First(m => m.Key == row.Measurement).Title;
        return $"{title}: {row.Of}{Figures.Words(row.Figure)}";
    }

    /// <summary>A ratio; shares of two servers' own handshakes stand side by side.</summary>
    private static string Cell(ComparedRun run, Row row, string? peer) => peer is null ? ""
        : row.Figure != Figure.Resumed ? Figures.Ratio(Spread.Ratio(run.Steps, row.Measurement, row.Peer, peer, row.Figure))
        : Spread.Own(run.Steps, row.Measurement, peer, row.Figure) is { } share ? Figures.Own(share, row.Figure) : "";

    private static Spread? Own(ComparedRun run, Row row) => Spread.Own(run.Steps, row.Measurement, row.Peer, row.Figure);

    private static string? Theirs(ComparedRun run, Row row, Column column) =>
        column.Peers.FirstOrDefault(peer => Spread.Ratio(run.Steps, row.Measurement, row.Peer, peer, row.Figure) is not null);

    /// <summary>The peer of a column that took part first: its settings and promise are the column's.</summary>
    private static Peer First(ComparedRun run, Column column) => PeerCatalog.Get(column.Peers.First(peer => run.Steps.Any(s => s.Peer == peer)));
}
