namespace FastListener.Intake;

/// <summary>
/// Bytes of all requests together that are staged while nobody knows yet whose they are: their token is a form field
/// that has not arrived. Bounded, so that strangers cannot fill the disk.
/// </summary>
internal sealed class UnauthenticatedBudget(long bytes)
{
    private readonly long _all = bytes;
    private long _left = bytes;

    /// <summary>What is taken now.</summary>
    public long Taken => _all - Interlocked.Read(ref _left);

    /// <summary>Takes some of the budget. False when it is spent; nothing has been taken then.</summary>
    public bool TryTake(long count)
    {
        if (Interlocked.Add(ref _left, -count) >= 0)
        {
            return true;
        }

        Interlocked.Add(ref _left, count);
        return false;
    }

    /// <summary>Gives back what was taken.</summary>
    public void Return(long count) => Interlocked.Add(ref _left, count);
}
