using System.Globalization;

namespace FastListener.Fuzz.Running;

/// <summary>Runs inputs from files, without afl-fuzz.</summary>
internal static class Replay
{
    public static int Usage()
    {
        Console.Error.WriteLine("""
            targets                       the targets' names
            run TARGET                    take inputs from afl-fuzz (tests/fuzz.sh starts it)
            replay TARGET PATH...         run files, and every file in folders; names those that fail
            mutate TARGET FOLDER COUNT    run so many deterministic mutations of a folder's seeds
            instrument FOLDER             write branch counters into the assemblies published there
            sketch FOLDER                 write seeds of real packs for the targets pack and salvage
            """);
        return 2;
    }

    public static int List()
    {
        foreach (var name in FuzzTargets.Names)
        {
            Console.WriteLine(name);
        }

        return 0;
    }

    public static int Run(string name, string[] paths)
    {
        if (FuzzTargets.Create(name) is not { } target)
        {
            return Usage();
        }

        var failures = 0;
        foreach (var file in paths.SelectMany(path => Directory.Exists(path) ? Directory.GetFiles(path) : [path]).Order(StringComparer.Ordinal))
        {
            failures += Try(target, File.ReadAllBytes(file), file) ? 0 : 1;
        }

        return failures == 0 ? 0 : 1;
    }

    public static int Mutate(string name, string folder, string count)
    {
        if (FuzzTargets.Create(name) is not { } target)
        {
            return Usage();
        }

        var mutator = new Mutator(Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes), AflDictionary.Read(Path.Combine(AppContext.BaseDirectory, "dictionaries", name + ".dict")));
        var failures = 0;
        for (var i = int.Parse(count, CultureInfo.InvariantCulture); i > 0; i--)
        {
            var input = mutator.Next();
            failures += Try(target, input, Convert.ToHexString(input)) ? 0 : 1;
        }

        return failures == 0 ? 0 : 1;
    }

    private static bool Try(IFuzzTarget target, byte[] input, string name)
    {
        try
        {
            target.Run(input);
            return true;
        }
        catch (Exception exception) // whatever it is, it is the finding
        {
            Console.WriteLine($"{name}: {exception}");
            return false;
        }
    }
}
