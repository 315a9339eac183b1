using FastListener.Overload;

namespace FastListener.Intake;

/// <summary>
/// Bytes that are staged while nobody knows yet whose they are: their token is a form field that has not arrived. Each form may bring a
/// few; who brings more needs one of the equal shares that <see cref="OverloadControl.Staging"/> hands out. So strangers cannot fill the
/// disk, and who sends the token before the files, as every known client does, never waits for them.
/// </summary>
internal sealed class UnauthenticatedBudget(long bytes)
{
    /// <summary>What each form may bring without a share: fields that come before the token's, and a small crash. As long as an attribute may be.</summary>
    public const int FreeBytes = 64 * 1024;

    private long _taken;

    /// <summary>The most that one form may bring; 0: nothing, every token must stand in the address.</summary>
    public long MaxBytes { get; } = bytes == 0 ? 0 : FreeBytes + (bytes / OverloadControl.StagingShares);

    /// <summary>What is taken now, by all together.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Counts bytes as staged.</summary>
    public void Take(long count) => Interlocked.Add(ref _taken, count);

    /// <summary>Counts what was taken as whoever's it is, or as gone.</summary>
    public void Return(long count) => Interlocked.Add(ref _taken, -count);
}
