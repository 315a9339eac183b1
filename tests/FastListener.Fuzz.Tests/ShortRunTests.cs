using FastListener.Fuzz.Running;

namespace FastListener.Fuzz.Tests;

/// <summary>What runs of the fuzz targets wherever the tests run: every seed, and mutations of the seeds that are the same in every run.</summary>
public class ShortRunTests
{
    /// <summary>A target and how many mutations take about a second.</summary>
    public static TheoryData<string, int> Targets => new()
    {
        { "head", 8000 },
        { "chunked", 8000 },
        { "multipart", 8000 },
        { "disposition", 8000 },
        { "query", 8000 },
        { "encoded-words", 8000 },
        { "pack", 2000 },
        { "salvage", 80 },
    };

    [Fact]
    public void Every_target_has_a_short_run() => Assert.Equal(FuzzTargets.Names, Targets.Select(row => row.Data.Item1));

    [Theory]
    [MemberData(nameof(Targets))]
    public void Every_seed_holds(string name, int mutations)
    {
        Assert.True(mutations > 0);
        var target = FuzzTargets.Create(name)!;
        using var _ = target as IDisposable;
        var seeds = Seeds(name);
        Assert.NotEmpty(seeds);
        foreach (var seed in seeds)
        {
            Run(target, File.ReadAllBytes(seed), Path.GetFileName(seed));
        }
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Mutated_seeds_hold(string name, int mutations)
    {
        var target = FuzzTargets.Create(name)!;
        using var _ = target as IDisposable;
        var mutator = new Mutator(Seeds(name).Select(File.ReadAllBytes), AflDictionary.Read(Below("dictionaries", name + ".dict")));
        for (var i = 0; i < mutations; i++)
        {
            var input = mutator.Next();
            Run(target, input, $"mutation {i}");
        }
    }

    private static void Run(IFuzzTarget target, byte[] input, string what)
    {
        var exception = Record.Exception(() => target.Run(input));
        if (exception is not null)
        {
            Assert.Fail($"{what} of {target.Name}: {exception}\n{Convert.ToHexString(input)}");
        }
    }

    private static string[] Seeds(string name) => [.. Directory.GetFiles(Below("seeds", name)).Order(StringComparer.Ordinal)];

    private static string Below(string folder, string name) => Path.Combine(AppContext.BaseDirectory, folder, name);
}
