using System.CommandLine;
using FastListener.Load.Compare;

namespace FastListener.Load.Cli;

/// <summary><c>compare</c>: what load/peers/run.sh calls once everything is installed and built.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var root = new Option<DirectoryInfo>("--root") { Description = "The repository", DefaultValueFactory = _ => new DirectoryInfo(".") };
        var build = new Option<DirectoryInfo>("--build") { Description = "Where run.sh put the peers", Required = true };
        var work = new Option<DirectoryInfo>("--work") { Description = "Where servers keep their data: on the disk to be measured", Required = true };
        var listener = new Option<FileInfo>("--listener") { Description = "fastlistener.dll", Required = true };
        var output = new Option<FileInfo>("--output") { Description = "The Markdown", Required = true };
        var rounds = new Option<int>("--rounds") { Description = "Counted rounds (one more is run first)", DefaultValueFactory = _ => 5 };
        var seconds = new Option<double>("--seconds") { Description = "Length of each measurement", DefaultValueFactory = _ => 5 };
        var warm = new Option<double>("--warm-up") { Description = "Seconds before each measurement: the .NET servers compile their hot code anew for some seconds", DefaultValueFactory = _ => 6 };
        var quick = new Option<bool>("--quick") { Description = "Smaller counts: proves the machinery, measures little" };
        var only = new Option<string[]?>("--only") { Description = "Only these measurements", AllowMultipleArgumentsPerToken = true };
        var peers = new Option<string[]?>("--peers") { Description = "Only these peers", AllowMultipleArgumentsPerToken = true };
        var minutes = new Option<double?>("--minutes") { Description = "Begin no further measurement after so long; the report says what is missing" };
        var shown = new Option<string>("--command") { Description = "The command to name in the output", DefaultValueFactory = _ => "load/peers/run.sh" };
        var command = new Command("compare", "Runs FastListener and its peers side by side") { root, build, work, listener, output, rounds, seconds, warm, minutes, quick, only, peers, shown };
        command.SetAction((parsed, stop) => Usage.GuardAsync(() =>
        {
            var named = parsed.GetValue(peers) is { Length: > 0 } some ? some.Select(p => PeerCatalog.Get(p).Key).ToArray() : null;
            var chosen = Choose(MeasurementCatalog.All(parsed.GetValue(quick)), parsed.GetValue(only), named);
            if (parsed.GetValue(rounds) is < 1 or > 50 || parsed.GetValue(seconds) is < 0.2 or > 120 || parsed.GetValue(warm) is < 0.2 or > 60)
            {
                throw new ArgumentException("Rounds: 1 to 50. Seconds: 0.2 to 120. Warm-up: 0.2 to 60.");
            }

            if (parsed.GetValue(minutes) is <= 0 or > 1440)
            {
                throw new ArgumentException("Minutes: up to 1,440.");
            }

            var target = parsed.GetRequiredValue(output);
            target.Directory!.Create();
            var workPath = Path.Combine(parsed.GetRequiredValue(work).FullName, $"run-{DateTime.UtcNow:yyyyMMdd-HHmmss}");
            Directory.CreateDirectory(workPath);
            var buildPath = parsed.GetRequiredValue(build).FullName;
            Comparison.MakeCertificate(buildPath);
            var raw = Path.ChangeExtension(target.FullName, ".jsonl");
            File.Delete(raw);
            var lengths = new StepLengths(TimeSpan.FromSeconds(parsed.GetValue(warm)), TimeSpan.FromSeconds(parsed.GetValue(seconds)));
            var rootPath = parsed.GetRequiredValue(root).FullName;
            var listenerPath = parsed.GetRequiredValue(listener).FullName;
            var from = Provenance.Of(rootPath, buildPath, listenerPath, workPath, chosen.SelectMany(m => m.Chosen(named)), parsed.GetRequiredValue(shown));
            var runner = new StepRunner(rootPath, workPath, buildPath, listenerPath, lengths, stop);
            var steps = new List<Step>();
            ComparedRun Report(string? ended)
            {
                var run = new ComparedRun(steps, chosen, parsed.GetValue(rounds), from) { OnlyPeers = named, Ended = ended };
                File.WriteAllText(target.FullName, ComparisonReport.Render(run));
                return run;
            }

            var comparison = new Comparison(runner.Run, workPath, parsed.GetValue(rounds), Console.Error)
            {
                Steps = steps,
                Limit = parsed.GetValue(minutes) is { } most ? TimeSpan.FromMinutes(most) : null,
                Measured = () => Report("it is still running, or was killed"),
            };
            string? failed = null;
            string? ended;
            try
            {
                ended = comparison.Run(chosen, named, raw, stop);
            }
            catch (Exception e) when (e is InvalidOperationException or IOException or UnauthorizedAccessException)
            {
                ended = failed = e.Message.TrimEnd('.');
            }

            // The report first: deleting what was stored may take longer than an impatient caller waits.
            var made = Report(ended);
            Console.Out.WriteLine(File.ReadAllText(target.FullName));
            if (ended is not null)
            {
                Console.Error.WriteLine($"Ended early: {ended}. {target.FullName} holds what was measured.");
            }

            Directory.Delete(workPath, recursive: true);
            return stop.IsCancellationRequested ? Usage.Interrupted : failed is null && made.Holds ? 0 : 1;
        }));
        return command;
    }

    private static Measurement[] Choose(IReadOnlyList<Measurement> all, string[]? only, string[]? peers)
    {
        var unknown = (only ?? []).Except(all.Select(m => m.Key)).ToArray();
        if (unknown.Length > 0)
        {
            throw new ArgumentException($"No measurement named {string.Join(", ", unknown)}; known are {string.Join(", ", all.Select(m => m.Key))}.");
        }

        Measurement[] chosen = [.. all.Where(m => (only is not { Length: > 0 } || only.Contains(m.Key)) && m.Chosen(peers).Any())];
        return chosen.Length > 0 ? chosen : throw new ArgumentException($"None of {string.Join(", ", peers ?? [])} takes part in {string.Join(", ", only ?? [])}.");
    }
}
