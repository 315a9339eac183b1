using Xunit;

namespace FastListener.Tests.Support;

/// <summary>Whether code allocates.</summary>
internal static class Garbage
{
    private const int Rounds = 20;

    /// <summary>
    /// Runs the code several times and wants one run that allocated nothing. A collection that another test causes
    /// charges this thread with the rest of its allocation context (up to 8 KiB), so one reading alone proves nothing;
    /// code that allocates does so in every round.
    /// </summary>
    public static void None(Action code)
    {
        var least = long.MaxValue;
        for (var round = 0; round < Rounds && least != 0; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            code();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }
}
