namespace FastListener.Storage.Tests;

/// <summary>An exception on the committer's thread that is no fault of a disk, and that nobody has thought of.</summary>
public sealed class DefectTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData("sync", 1)] // while it is idle, and writes ahead
    [InlineData("cut", 2)] // after a batch, when a pack is ended
    public async Task A_defect_ends_the_store_and_says_so_answers_everybody_and_loses_nothing(string call, int atTheHow)
    {
        var device = new TestDevice();
        using var waiting = new ManualResetEventSlim();
        var calls = 0;
        device.Before = (made, path) =>
        {
            if (made == call && Thread.CurrentThread.Name == "committer" && path.StartsWith(Path.Combine(_data.Path, "packs"), StringComparison.Ordinal))
            {
                Assert.True(waiting.Wait(TimeSpan.FromSeconds(30)));
                if (++calls == atTheHow)
                {
                    throw new InvalidOperationException("Nobody has thought of this.");
                }
            }
        };
        var log = new EventLogger();
        var options = Scenario.Options(_data.Path) with { MaxBatchObjects = 1, PackBytes = call == "cut" ? 1 : long.MaxValue };
        var acked = new List<Sent>();
        await using (var store = await _data.OpenAsync(options, device, log))
        {
            acked.Add(await store.SubmitAsync(StoreActions.Bytes(3000)));
            await Task.Yield(); // the answer came on the committer's thread
            var queued = Enumerable.Range(1, 5).Select(i => store.SubmitAsync(StoreActions.Bytes(i % 2 == 0 ? 3000 + i : 20_000 + i))).ToList();
            Assert.True(SpinWait.SpinUntil(() => store.Statistics.Queued == 5, TimeSpan.FromSeconds(30)));
            Assert.False(store.Failed.IsCompleted);
            waiting.Set();

            var refused = 0;
            foreach (var submission in queued)
            {
                if (await Record.ExceptionAsync(async () => acked.Add(await submission.WaitAsync(TimeSpan.FromSeconds(30)))) is { } fault)
                {
                    Assert.Equal(StorageFaultKind.InputOutput, Assert.IsType<StorageFaultException>(fault).Kind);
                    refused++;
                }
            }

            Assert.Equal((atTheHow, 6 - atTheHow), (acked.Count, refused));
            await store.Failed.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            foreach (var size in new[] { 3000, 50_000 })
            {
                var fault = await Assert.ThrowsAsync<StorageFaultException>(() => store.SubmitAsync(StoreActions.Bytes(size)).WaitAsync(TimeSpan.FromSeconds(30)));
                Assert.Equal(StorageFaultKind.InputOutput, fault.Kind); // nobody is shutting down
            }

            Assert.False(await store.WriteLedgerAsync().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
            var now = store.Statistics;
            Assert.Equal((true, StorageFaultKind.InputOutput, 0, 0), (now.HasFailed, now.CurrentFault, now.Queued, now.Committing));
            Assert.Contains(510, log.Events);
        }

        await using var again = await _data.OpenAsync(options);
        acked.Add(await again.SubmitAsync(StoreActions.Bytes(3001)));
        Scenario.AssertKept(_data.Path, acked, []);
        using var reader = StoreReader.Open(_data.Path);
        Assert.Equal(acked.Count, reader.List(new()).Count());
    }

    [Fact]
    public async Task A_store_that_is_closed_has_not_failed_and_says_that_it_is_stopping()
    {
        var store = await _data.OpenAsync();
        await store.DisposeAsync();
        Assert.False(store.Failed.IsCompleted);
        var fault = await Assert.ThrowsAsync<StorageFaultException>(() => store.SubmitAsync(StoreActions.Bytes(3000)));
        Assert.Equal(StorageFaultKind.Stopping, fault.Kind);
    }
}
