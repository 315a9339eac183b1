using SharpFuzz;

namespace FastListener.Fuzz.Running;

/// <summary>Takes inputs from afl-fuzz. The target runs in a process of its own, so that it may die of anything.</summary>
internal static class AflLoop
{
    public static int Run(string name)
    {
        if (!FuzzTargets.Names.Contains(name))
        {
            return Replay.Usage();
        }

        IFuzzTarget? target = null; // made in the loop: instrumented code can only run where the branch counters are
        Fuzzer.OutOfProcess.Run(stream =>
        {
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            target ??= FuzzTargets.Create(name)!;
            target.Run(copy.GetBuffer().AsSpan(0, (int)copy.Length));
        });
        return 0;
    }
}
