using FastListener.Hosting.Transport;
using Xunit;

namespace FastListener.Transport;

public sealed class PendingResultTests
{
    private readonly Lock _gate = new();

    [Fact]
    public async Task A_token_that_is_cancelled_while_its_wait_ends_does_not_end_the_next_wait()
    {
        var pending = new PendingResult<int>(_gate);
        using var early = new CancellationTokenSource();
        using var later = new CancellationTokenSource();
        var first = Begin(pending, early.Token);
        var cancelling = new Thread(early.Cancel);
        Task<int> second;
        lock (_gate)
        {
            cancelling.Start();
            SpinWait.SpinUntil(() => (cancelling.ThreadState & ThreadState.WaitSleepJoin) != 0); // what the token calls has come as far as the gate
            pending.Decide(1);
            pending.Finish();
            Assert.True(first.IsCompletedSuccessfully);
            second = Begin(pending, later.Token);
        }

        cancelling.Join();
        lock (_gate)
        {
            Assert.True(pending.IsAwaited);
            pending.Decide(2);
        }

        pending.Finish();
        Assert.Equal(2, await second);
    }

    private Task<int> Begin(PendingResult<int> pending, CancellationToken token)
    {
        lock (_gate)
        {
            pending.Begin(token);
        }

        return pending.AsTask().AsTask();
    }
}
