using SharpFuzz;

namespace FastListener.Fuzz.Running;

/// <summary>Writes the branch counters of afl-fuzz into the published assemblies under test. Done once per publish.</summary>
internal static class Instrumentation
{
    private static readonly string[] Assemblies = ["FastListener.Protocol.dll", "FastListener.Storage.dll"];

    public static int Run(string folder)
    {
        foreach (var assembly in Assemblies)
        {
            var types = Fuzzer.Instrument(Path.Combine(folder, assembly), _ => true, Options.Value).Count();
            Console.WriteLine($"{assembly}: {types} types instrumented");
        }

        return 0;
    }
}
