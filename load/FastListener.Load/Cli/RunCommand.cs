using System.CommandLine;
using FastListener.Load.Engines;
using FastListener.Load.Measuring;
using FastListener.Load.Reports;
using FastListener.Load.Scenarios;
using FastListener.Load.Sockets;

namespace FastListener.Load.Cli;

/// <summary><c>run SCENARIO... --url URL --token TOKEN</c>: exit 0 when all thresholds held, 1 when one did not or requests failed, 2 for a wrong option, 130 when it was interrupted.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var scenarios = new Argument<string[]>("scenario") { Description = "Names from 'list', or 'all'", Arity = ArgumentArity.OneOrMore };
        var url = new Option<string>("--url") { Description = "The server: http or https on 127.0.0.0/8, nothing else", Required = true };
        var token = new Option<string>("--token") { Description = "Submission token", Required = true };
        var seconds = new Option<double?>("--seconds") { Description = "How long each scenario sends (its own default otherwise)" };
        var rate = new Option<double?>("--rate") { Description = "Requests a second for scenarios that send at a steady rate" };
        var peak = new Option<double?>("--peak") { Description = "Requests a second at the top of storm; otherwise twice what one-connection-each, run for up to ten seconds before it, comes to" };
        var connections = new Option<int?>("--connections") { Description = "Connections at once" };
        var requests = new Option<long?>("--requests") { Description = "Requests in all, for scenarios that send as fast as they can" };
        var process = new Option<int?>("--server-pid") { Description = "The server's process id: its CPU time and memory join the report" };
        var thresholds = new Option<FileInfo?>("--thresholds") { Description = "JSON file of limits; see load/thresholds.json" };
        var reports = new Option<DirectoryInfo>("--reports") { Description = "Where the HTML and Markdown reports go", DefaultValueFactory = _ => new DirectoryInfo("reports") };
        var noResume = new Option<bool>("--no-tls-resume") { Description = "A full TLS handshake for every connection" };
        var anyAnswer = new Option<bool>("--any-answer") { Description = "Any 200 will do; do not look for \"response\":\"ok\"" };
        var acknowledged = new Option<FileInfo?>("--acknowledged") { Description = "Write the sequence numbers of all acknowledged requests here, one a line in hex" };
        var command = new Command("run", "Runs scenarios against a server on this machine")
        {
            scenarios, url, token, seconds, rate, peak, connections, requests, process, thresholds, reports, noResume, anyAnswer, acknowledged,
        };
        command.SetAction((parsed, stop) => Usage.GuardAsync(() =>
        {
            var limits = parsed.GetValue(thresholds) is { } file ? Thresholds.Load(file.FullName, ScenarioCatalog.All.Select(x => x.Name)) : Thresholds.None;
            var options = new ScenarioOptions
            {
                Target = LoopbackTarget.Parse(parsed.GetRequiredValue(url)),
                Token = parsed.GetRequiredValue(token),
                Duration = parsed.GetValue(seconds) is { } s ? TimeSpan.FromSeconds(s) : null,
                Rate = parsed.GetValue(rate),
                Peak = parsed.GetValue(peak),
                Connections = parsed.GetValue(connections),
                Requests = parsed.GetValue(requests),
                ResumeTls = !parsed.GetValue(noResume),
                CheckAnswer = !parsed.GetValue(anyAnswer),
            };
            var names = parsed.GetRequiredValue(scenarios);
            if (names is ["all"])
            {
                names = [.. ScenarioCatalog.All.Select(x => x.Name).Where(n => n.StartsWith("tls", StringComparison.Ordinal) == options.Target.Tls)];
            }

            return Run(names, options, parsed.GetValue(process), limits, parsed.GetRequiredValue(reports).FullName, parsed.GetValue(acknowledged)?.FullName, stop);
        }));
        return command;
    }

    private static int Run(string[] names, ScenarioOptions options, int? process, Thresholds limits, string reports, string? acknowledged, CancellationToken stop)
    {
        ILoadEngine engine = LoadEngines.Chosen(reports);
        if (process is { } pid && !Directory.Exists(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"/proc/{pid}")))
        {
            throw new ArgumentException($"There is no process {pid} to watch.");
        }

        var progress = new ConsoleProgress();
        var results = new List<ScenarioResult>();
        var verdicts = new List<Verdict>();
        ulong sequence = 1;
        using var acknowledgements = acknowledged is null ? null : new StreamWriter(acknowledged);

        // Names and options are checked before the first request leaves.
        foreach (var name in names)
        {
            _ = ScenarioCatalog.Build(name, options, sequence);
        }

        foreach (var name in names)
        {
            if (name == ScenarioCatalog.Storm && options.Peak is null && !stop.IsCancellationRequested)
            {
                var capacity = One(ScenarioCatalog.StormCapacity, ScenarioCatalog.ToMeasureCapacity(options)).SettledRate;
                options = options with { Peak = capacity > 0 ? Math.Min(2 * capacity, ScenarioOptions.MostRate) : null };
            }

            if (stop.IsCancellationRequested)
            {
                break;
            }

            One(name, options);
        }

        if (results.Count > 0)
        {
            var run = new ReportedRun(results, verdicts, Machine.Describe(), Environment.GetCommandLineArgs());
            Console.Out.WriteLine($"Reports: {HtmlReport.Write(run, reports)}, {MarkdownReport.Write(run, reports)}");
        }

        return stop.IsCancellationRequested ? Usage.Interrupted : verdicts.Any(v => !v.Held) ? 1 : 0;

        ScenarioResult One(string name, ScenarioOptions chosen)
        {
            var scenario = ScenarioCatalog.Build(name, chosen, sequence);
            Console.Error.WriteLine($"{scenario.Name}: {scenario.Description}");
            var result = engine.Run(scenario, process, progress.Tell, stop);
            progress.Done();
            sequence += (ulong)(result.Offered + 1);
            results.Add(result);
            var judged = limits.Judge(result);
            verdicts.AddRange(judged);
            Console.Out.WriteLine(TextSummary.Of(result));
            foreach (var verdict in judged)
            {
                Console.Out.WriteLine($"  {(verdict.Held ? "held  " : "BROKEN")} {verdict.Text}");
            }

            foreach (var population in result.Populations)
            {
                foreach (var number in population.Recorder.Acknowledged)
                {
                    acknowledgements?.WriteLine(number.ToString("x16", System.Globalization.CultureInfo.InvariantCulture));
                }
            }

            return result;
        }
    }
}
