using System.Globalization;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Abuse;

/// <summary>What a process takes of the machine at one moment.</summary>
/// <param name="Sockets">Open sockets.</param>
/// <param name="Descriptors">All open descriptors.</param>
/// <param name="Anonymous">Anonymous memory, bytes.</param>
internal sealed record Footprint(int Sockets, int Descriptors, long Anonymous)
{
    private const int MoreDescriptors = 16; // a pack, a log, what a further thread polls with
    private const int TicksAtRest = 5; // of 10 ms, within half a second: a connection that spins takes 50
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(90);

    public static Footprint Of(int pid) =>
        new(ProcessFigures.Sockets(pid), ProcessFigures.AllDescriptors(pid), ProcessFigures.AnonymousMemory(pid));

    /// <summary>Waits until the process takes no more than this again, but for <paramref name="moreMemory"/> bytes, and does nothing.</summary>
    public async Task AssertComesBackAsync(int pid, long moreMemory)
    {
        await Eventually.TrueAsync(() => ProcessFigures.Sockets(pid) <= Sockets, $"sockets are {Sockets} again", s_limit);
        await Eventually.TrueAsync(() => Of(pid).Descriptors <= Descriptors + MoreDescriptors, $"descriptors are {Descriptors} again, and {MoreDescriptors} at most", s_limit);
        await AssertRestsAsync(pid);
        await Eventually.TrueAsync(
            () => ProcessFigures.AnonymousMemory(pid) <= Anonymous + moreMemory,
            $"anonymous memory is {Anonymous / 1024} KiB again, and {moreMemory / 1024} KiB at most; it is {ProcessFigures.AnonymousMemory(pid) / 1024}",
            s_limit);
    }

    /// <summary>Waits for half a second in which the process hardly works. Work that never ends never gives one.</summary>
    public static async Task AssertRestsAsync(int pid)
    {
        var before = ProcessFigures.CpuTime(pid);
        await Eventually.TrueAsync(
            async () =>
            {
                await Task.Delay(s_look);
                var now = ProcessFigures.CpuTime(pid);
                var used = now - before;
                before = now;
                return used <= TimeSpan.FromMilliseconds(10 * TicksAtRest);
            },
            "the process rests",
            s_limit);
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Sockets} sockets, {Descriptors} descriptors, {Anonymous / 1024.0 / 1024.0:0.0} MiB anonymous");
}
