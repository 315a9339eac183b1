namespace FastListener.Storage.Tests;

/// <summary>However much one account has waiting, the others' submissions are not behind all of it.</summary>
public sealed class FairCommitTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData(3000, 2_000)]
    [InlineData(300, 100_000)]
    public async Task Anothers_submission_is_in_the_next_batch_though_one_account_has_thousands_queued(int crowd, int size)
    {
        using var gate = new ManualResetEventSlim();
        var device = new TestDevice();
        await using var store = await _data.OpenAsync(_data.Options with { QueueLength = 4096, PayloadMemoryBytes = 256 << 20 }, device);
        device.Before = (call, path) =>
        {
            if (call == "sync" && path.EndsWith(".pack", StringComparison.Ordinal))
            {
                gate.Wait(TimeSpan.FromSeconds(60));
            }
        };
        var first = CommitAsync(store, "noisy", 10);
        var noisy = new List<Task<Receipt>>();
        for (var i = 0; i < crowd; i++)
        {
            noisy.Add(CommitAsync(store, "noisy", size));
        }

        var quiet = CommitAsync(store, "quiet", size);
        gate.Set();
        var receipts = await Task.WhenAll(noisy);
        await first;

        // Ids are given in the order of the commit. The first batch may have caught some of the crowd; the next one holds at most 512.
        var before = receipts.Count(r => r.ObjectId < quiet.Result.ObjectId);
        Assert.InRange(before, 0, 2 * 512);
        Assert.True(before < crowd - 100, $"{before} of {crowd} came first");
        Assert.Equal(receipts.OrderBy(r => r.ObjectId), receipts); // within the account nothing overtakes
    }

    [Fact]
    public async Task Accounts_with_records_of_different_sizes_get_the_same_share_of_bytes()
    {
        using var gate = new ManualResetEventSlim();
        var device = new TestDevice();
        await using var store = await _data.OpenAsync(_data.Options with { MaxBatchBytes = 1024 * 1024, QueueLength = 4096, PayloadMemoryBytes = 256 << 20 }, device);
        device.Before = (call, path) =>
        {
            if (call == "sync" && path.EndsWith(".pack", StringComparison.Ordinal))
            {
                gate.Wait(TimeSpan.FromSeconds(60));
            }
        };
        var blocker = CommitAsync(store, "first", 10);
        var large = Enumerable.Range(0, 40).Select(_ => CommitAsync(store, "large", 200_000)).ToList();
        var small = Enumerable.Range(0, 800).Select(_ => CommitAsync(store, "small", 10_000)).ToList();
        gate.Set();
        await Task.WhenAll(large);
        await Task.WhenAll(small);
        await blocker;

        // Both have eight million bytes: when the large ones are through, most of the small ones must be, too, and the other way round.
        var lastLarge = large.Max(t => t.Result.ObjectId);
        var lastSmall = small.Max(t => t.Result.ObjectId);
        Assert.True(small.Count(t => t.Result.ObjectId < lastLarge) > 600);
        Assert.True(large.Count(t => t.Result.ObjectId < lastSmall) > 30);
    }

    [Fact]
    public async Task A_record_larger_than_what_is_left_of_a_batch_begins_the_next_one()
    {
        await using var store = await _data.OpenAsync(_data.Options with { MaxBatchBytes = 64 * 1024 });
        var sent = new List<Task<Receipt>>();
        for (var i = 0; i < 60; i++)
        {
            sent.Add(CommitAsync(store, $"account{i % 7}", i % 5 == 0 ? 300_000 : 20_000));
        }

        await Task.WhenAll(sent);
        using var reader = StoreReader.Open(_data.Path);
        Assert.Equal(60, reader.List(new()).Count());
        Assert.Equal(0, store.Statistics.Queued);
        Assert.True(Verification.Run(_data.Path).IsClean);
    }

    [Fact]
    public async Task A_store_that_closes_commits_what_waits_in_every_lane()
    {
        var store = await _data.OpenAsync();
        var sent = Enumerable.Range(0, 500).Select(i => CommitAsync(store, $"account{i % 50}", 1000)).ToList();
        await store.DisposeAsync();
        Assert.Equal(500, (await Task.WhenAll(sent)).Select(r => r.ObjectId).Distinct().Count());
    }

    [Fact]
    public async Task An_account_key_that_is_too_long_is_refused_at_once()
    {
        await using var store = await _data.OpenAsync();
        using var submission = store.Begin();
        Assert.Throws<ArgumentOutOfRangeException>(() => submission.Account = new string('x', Submission.MaxAccountLength + 1));
        submission.Account = new string('x', Submission.MaxAccountLength);
    }

    private static Task<Receipt> CommitAsync(ObjectStore store, string account, int size)
    {
        using var submission = store.Begin();
        submission.Project = store.Project("acme", "game");
        submission.Account = account;
        var payload = submission.AddPayload(PayloadKind.Report, "r"u8, default, default);
        payload.WriteAsync(new byte[size]).AsTask().GetAwaiter().GetResult();
        payload.CompleteAsync().AsTask().GetAwaiter().GetResult();
        return store.CommitAsync(submission).AsTask();
    }
}
