using System.Globalization;
using System.Text.Json;
using FastListener.Diagnostics;
using FastListener.Storage;
using FastListener.Tokens;

namespace FastListener.Cli;

/// <summary>An audit as people and as programs read it. Tokens are masked; one that is not in the file is told by its key.</summary>
internal sealed class AuditView(Terminal terminal, AuditReport report, RunningListener? listener, TokenDocument tokens)
{
    private static readonly string[] Classes = ["stored", "degraded", "refused", "broken off", "unsettled"];

    private readonly Dictionary<string, TokenEntry> _tokens = tokens.Tokens.ToDictionary(entry => entry.Token.Key);

    public void WriteText()
    {
        var listing = new Listing(terminal, "TOKEN", new("PROJECT", Breaks: 12), new("OUTCOME", Breaks: 12), "REQUESTS", "BYTES IN", "BYTES KEPT");
        foreach (var line in Ordered())
        {
            var (token, project) = Names(line.Account);
            listing.Add(token, project, line.Outcome, Number(line.Requests), Number(line.BytesIn), Number(line.BytesKept));
        }

        listing.End();
        WriteInFlight();
        terminal.Out.WriteLine(report.Since is { } since ? $"Since {TerminalText.Time(since)}:" : "Since the ledger began:");
        terminal.Out.WriteLine($"requests  {Number(report.Received)} received = {Equation(sums => sums.Requests)}");
        terminal.Out.WriteLine($"bytes     {Number(report.ReceivedBytes)} received = {Equation(sums => sums.BytesIn)}");
        if (report.Unbooked > 0)
        {
            terminal.Out.WriteLine($"{Number(report.Unbooked)} stored from before the ledger, or salvaged, are not counted.");
        }

        foreach (var difference in report.Differences)
        {
            terminal.Error.WriteLine(TerminalText.Escape(difference));
        }

        terminal.Out.WriteLine(report.IsClean
            ? "The sides agree, and so do the ledger, the catalog and the packs."
            : $"The books do not balance: {TerminalText.Count(report.Differences.Count, "difference")}.");
    }

    public void WriteJson()
    {
        var bytes = terminal.Bytes;
        using (var json = new Utf8JsonWriter(bytes, ObjectJson.Options))
        {
            json.WriteStartObject();
            json.WriteBoolean("clean", report.IsClean);
            json.WriteString("since", report.Since is { } since ? TerminalText.Time(since) : null);
            WriteSum(json, "received", (report.Received, report.ReceivedBytes, null));
            foreach (var name in Classes)
            {
                var (requests, bytesIn, bytesKept) = Sum(name);
                WriteSum(json, name == "broken off" ? "brokenOff" : name, (requests, bytesIn, bytesKept));
            }

            json.WriteNumber("unbooked", report.Unbooked);
            json.WriteStartArray("outcomes");
            foreach (var line in Ordered())
            {
                WriteLine(json, line);
            }

            json.WriteEndArray();
            json.WriteStartArray("counts");
            foreach (var stored in report.Stored)
            {
                json.WriteStartObject();
                WriteNames(json, stored.Account);
                json.WriteString("outcome", stored.Outcome);
                foreach (var (name, count) in ((string, StoredCount)[])[("ledger", stored.Ledger), ("catalog", stored.Catalog), ("packs", stored.Packs)])
                {
                    WriteSum(json, name, (count.Submissions, count.BytesIn, count.BytesKept));
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WritePropertyName("inFlight");
            if (listener is not { Faults.Count: 0 })
            {
                json.WriteNullValue(); // not known
            }
            else
            {
                json.WriteStartArray();
                foreach (var upload in listener.InFlight)
                {
                    upload.WriteTo(json);
                }

                json.WriteEndArray();
            }

            json.WriteStartArray("differences");
            foreach (var difference in report.Differences)
            {
                json.WriteStringValue(difference);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        bytes.WriteByte((byte)'\n');
    }

    /// <summary>Uploads under way: they are on neither side yet.</summary>
    private void WriteInFlight()
    {
        if (listener is null || listener.InFlight.Count == 0)
        {
            terminal.Out.WriteLine(listener is null ? "No listener runs here." : listener.Faults.Count == 0 ? "Nothing is in flight." : "What is in flight is not known.");
            return;
        }

        terminal.Out.WriteLine($"In flight, and on neither side yet ({listener.InFlight.Count}):");
        var listing = new Listing(terminal, "TOKEN", new("PROJECT", Breaks: 12), "CLIENT", "STAGE", "SECONDS", "BYTES SO FAR");
        foreach (var upload in listener.InFlight)
        {
            string Text(string name) => upload.GetProperty(name).ToString();
            listing.Add(Text("token"), Text("project"), Text("client"), Text("stage"), Text("ageSeconds"), Text("wireBytes"));
        }

        listing.End();
    }

    private IEnumerable<AuditLine> Ordered() =>
        report.Lines.OrderBy(line => line.Account, StringComparer.Ordinal).ThenBy(line => Array.IndexOf(Classes, AuditReport.ClassOf(line.Outcome))).ThenBy(line => line.Outcome, StringComparer.Ordinal);

    /// <summary>The right side. What is stored is what was found in the packs; the rest is what the ledger says.</summary>
    private string Equation(Func<(long Requests, long BytesIn, long BytesKept), long> figure) =>
        string.Join(" + ", Classes
            .Where(name => name != "unsettled" || Sum(name).Requests != 0)
            .Select(name => $"{Number(figure(Sum(name)))} {name}"));

    private (long Requests, long BytesIn, long BytesKept) Sum(string name)
    {
        if (name is "stored" or "degraded")
        {
            var counts = report.Stored.Where(stored => AuditReport.ClassOf(stored.Outcome) == name).Select(stored => stored.Packs).ToList();
            return (counts.Sum(count => count.Submissions), counts.Sum(count => count.BytesIn), counts.Sum(count => count.BytesKept));
        }

        var lines = report.Lines.Where(line => AuditReport.ClassOf(line.Outcome) == name).ToList();
        return (lines.Sum(line => line.Requests), lines.Sum(line => line.BytesIn), lines.Sum(line => line.BytesKept));
    }

    private (string Token, string Project) Names(string account) =>
        account.Length == 0 ? ("(no valid token)", "")
        : _tokens.TryGetValue(account, out var entry) ? (entry.Token.Masked, $"{entry.Universe}/{entry.Project}")
        : ($"(key {account})", "");

    private void WriteLine(Utf8JsonWriter json, AuditLine line)
    {
        json.WriteStartObject();
        WriteNames(json, line.Account);
        json.WriteString("outcome", line.Outcome);
        json.WriteString("class", AuditReport.ClassOf(line.Outcome));
        json.WriteNumber("received", line.Received);
        json.WriteNumber("receivedBytes", line.ReceivedBytes);
        json.WriteNumber("requests", line.Requests);
        json.WriteNumber("bytesIn", line.BytesIn);
        json.WriteNumber("bytesKept", line.BytesKept);
        json.WriteEndObject();
    }

    private void WriteNames(Utf8JsonWriter json, string account)
    {
        var (token, project) = Names(account);
        json.WriteString("token", token);
        json.WriteString("account", account);
        json.WriteString("project", project);
    }

    private static void WriteSum(Utf8JsonWriter json, string name, (long Requests, long BytesIn, long? BytesKept) sum)
    {
        json.WriteStartObject(name);
        json.WriteNumber("requests", sum.Requests);
        json.WriteNumber("bytesIn", sum.BytesIn);
        if (sum.BytesKept is { } kept)
        {
            json.WriteNumber("bytesKept", kept);
        }

        json.WriteEndObject();
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
