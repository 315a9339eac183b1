using System.Diagnostics;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Abuse;

/// <summary>A client as they should be: one crash after the other, each over a connection of its own, while others do what they do.</summary>
internal sealed class BehavedClient : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _sending;
    private int _answered;
    private long _slowest;

    public BehavedClient(int port, string token) => _sending = Task.Factory.StartNew(
        () =>
        {
            while (!_stop.IsCancellationRequested)
            {
                var since = Stopwatch.GetTimestamp();
                var reply = Submit.Dump(port, token, Submit.MadeDump(_answered, 20_000));
                Assert.True(reply.Status == 200, $"A client that behaves was refused: {reply}");
                _slowest = Math.Max(_slowest, Stopwatch.GetElapsedTime(since).Ticks);
                Interlocked.Increment(ref _answered);
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    /// <summary>Answered with 200 so far.</summary>
    public int Answered => Volatile.Read(ref _answered);

    /// <summary>The longest that it has waited for an answer.</summary>
    public TimeSpan Slowest => TimeSpan.FromTicks(Volatile.Read(ref _slowest));

    /// <summary>Waits until it has been answered so many times more.</summary>
    public async Task AnswersAsync(int more)
    {
        var wanted = Answered + more;
        await Eventually.TrueAsync(() => _sending.IsCompleted || Answered >= wanted, $"a client that behaves is answered {more} times more", TimeSpan.FromSeconds(120));
        if (_sending.IsCompleted)
        {
            await _sending; // says why
        }
    }

    /// <summary>Asks it to stop, whatever became of it.</summary>
    public void Stop() => _stop.Cancel();

    /// <summary>Stops it. Throws when it was refused.</summary>
    public async Task EndAsync()
    {
        Stop();
        await _sending;
    }

    public void Dispose() => _stop.Dispose();
}
