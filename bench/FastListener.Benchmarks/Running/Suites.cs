using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace FastListener.Benchmarks.Running;

/// <summary>The ways to run the benchmarks. Each gives the process's exit code: 0 only when every benchmark ran and none threw.</summary>
internal static class Suites
{
    /// <summary>Bounded iterations, so that what the storage benchmarks write is bounded, too.</summary>
    private static IConfig Measuring => DefaultConfig.Instance
        .AddColumn(new PerObjectColumn())
        .AddJob(Job.Default.WithMaxWarmupCount(8).WithMaxIterationCount(20).AsMutator());

    /// <summary>Measures everything, each benchmark in a process of its own.</summary>
    public static int All(string[] options) =>
        Run(Everything(options), Measuring);

    /// <summary>Runs everything once, in this process. Proves that every benchmark works; its numbers mean nothing.</summary>
    public static int Smoke(string[] options) =>
        Run(
            Everything(options),
            DefaultConfig.Instance
                .AddJob(Job.Dry.WithToolchain(InProcessEmitToolchain.Instance))
                .WithOptions(ConfigOptions.JoinSummary));

    /// <summary>Runs what the options of BenchmarkDotNet say; asks when they say nothing.</summary>
    public static int Chosen(string[] options) => Run(options, Measuring);

    private static int Run(string[] options, IConfig config)
    {
        using var disk = DiskRoom.Open();
        var summaries = BenchmarkSwitcher.FromAssembly(typeof(Suites).Assembly).Run(options, config).ToArray();
        var ran = summaries.Sum(summary => summary.Reports.Count(report => report.Success));
        var failed = summaries.SelectMany(Failures).Distinct().ToArray();
        foreach (var failure in failed)
        {
            Console.Error.WriteLine(failure);
        }

        Console.WriteLine($"{ran} passed, {failed.Length} failed");
        return ran > 0 && failed.Length == 0 ? 0 : 1;
    }

    private static string[] Everything(string[] options) => options.Contains("--filter") ? options : ["--filter", "*", .. options];

    private static IEnumerable<string> Failures(Summary summary)
    {
        foreach (var error in summary.ValidationErrors.Where(error => error.IsCritical))
        {
            yield return $"Not run: {error.Message}";
        }

        foreach (var benchmark in summary.BenchmarksCases.Where(benchmark => summary[benchmark] is not { Success: true }))
        {
            yield return $"Failed: {benchmark.DisplayInfo}";
        }
    }
}
