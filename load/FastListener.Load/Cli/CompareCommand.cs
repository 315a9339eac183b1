using System.CommandLine;
using System.Diagnostics;
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
        var shown = new Option<string>("--command") { Description = "The command to name in the output", DefaultValueFactory = _ => "load/peers/run.sh" };
        var command = new Command("compare", "Runs FastListener and its peers side by side") { root, build, work, listener, output, rounds, seconds, warm, quick, only, peers, shown };
        command.SetAction((parsed, stop) => Usage.GuardAsync(() =>
        {
            var chosen = MeasurementCatalog.All(parsed.GetValue(quick)).ToList();
            if (parsed.GetValue(only) is { Length: > 0 } names)
            {
                var unknown = names.Except(chosen.Select(m => m.Key)).ToArray();
                if (unknown.Length > 0)
                {
                    throw new ArgumentException($"No measurement named {string.Join(", ", unknown)}; known are {string.Join(", ", chosen.Select(m => m.Key))}.");
                }

                chosen = [.. chosen.Where(m => names.Contains(m.Key))];
            }

            var only2 = parsed.GetValue(peers) is { Length: > 0 } some ? some.Select(p => PeerCatalog.Get(p).Key).ToArray() : null;
            if (parsed.GetValue(rounds) is < 1 or > 50 || parsed.GetValue(seconds) is < 0.2 or > 120 || parsed.GetValue(warm) is < 0.2 or > 60)
            {
                throw new ArgumentException("Rounds: 1 to 50. Seconds: 0.2 to 120. Warm-up: 0.2 to 60.");
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
            var runner = new StepRunner(rootPath, workPath, buildPath, parsed.GetRequiredValue(listener).FullName, lengths, stop);
            var comparison = new Comparison(runner, workPath, parsed.GetValue(rounds), Console.Error);
            try
            {
                comparison.Run(chosen, only2, raw, stop);
            }
            catch (OperationCanceledException)
            {
                Console.Error.WriteLine("Stopped; the report holds what was measured.");
            }
            finally
            {
                Directory.Delete(workPath, recursive: true);
            }

            var report = ComparisonReport.Render(comparison.Steps, chosen, parsed.GetRequiredValue(shown), Revision(rootPath), parsed.GetRequiredValue(work).FullName);
            File.WriteAllText(target.FullName, report);
            Console.Out.WriteLine(report);
            return stop.IsCancellationRequested ? Usage.Interrupted : ComparisonReport.Holds(comparison.Steps) ? 0 : 1;
        }));
        return command;
    }

    private static string Revision(string root)
    {
        using var git = Process.Start(new ProcessStartInfo("git", ["-C", root, "describe", "--always", "--dirty"]) { RedirectStandardOutput = true });
        return git?.StandardOutput.ReadToEnd().Trim() is { Length: > 0 } revision ? revision : "unknown";
    }
}
