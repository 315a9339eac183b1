using FastListener.Load.Measuring;

namespace FastListener.Load.Reports;

/// <summary>All that a report tells of.</summary>
internal sealed record ReportedRun(IReadOnlyList<ScenarioResult> Results, IReadOnlyList<Verdict> Verdicts, string Machine, string[] CommandLine)
{
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
