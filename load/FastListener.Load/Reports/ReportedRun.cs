using FastListener.Load.Measuring;

namespace FastListener.Load.Reports;

/// <summary>All that a report tells of.</summary>
internal sealed record ReportedRun(IReadOnlyList<ScenarioResult> Results, IReadOnlyList<Verdict> Verdicts, string Machine, string[] CommandLine)
{
    /// <summary>What a reader must know before reading a figure.</summary>
    public string Notes
    {
        get
        {
            var kinds = Results.SelectMany(r => r.Populations).Select(p => p.LatencyFrom).ToHashSet();
            var notes = "Server and load generator share this machine. s/1,000 and s/GB are core-seconds for 1,000 requests and for 10^9 bytes; MiB is the server's anonymous memory at most.";
            if (kinds.Contains(LatencyFrom.DueTime))
            {
                notes += " Latency from the due time: from the moment a request was due by the clock, waiting included.";
            }

            if (kinds.Contains(LatencyFrom.Send))
            {
                notes += " Latency from the send: these clients send again when they have been answered, as fast as they go; a stalled server is not charged for what was not sent meanwhile.";
            }

            if (kinds.Contains(LatencyFrom.Call))
            {
                notes += " Latency from the call: NBomber's clock starts when it calls the client, not when the request was due; under overload it reads lower.";
            }

            return notes;
        }
    }

    /// <summary>The command as one would type it again, with the token left out.</summary>
    public string Command
    {
        get
        {
            var words = CommandLine.Select((word, i) => i > 0 && CommandLine[i - 1] == "--token" ? "TOKEN" : word).ToArray();
            words[0] = Path.GetFileNameWithoutExtension(words[0]);
            return string.Join(' ', words.Select(w => w.Contains(' ', StringComparison.Ordinal) ? $"'{w}'" : w));
        }
    }
}
