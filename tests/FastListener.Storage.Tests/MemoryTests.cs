namespace FastListener.Storage.Tests;

public sealed class MemoryTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task A_writer_that_finds_the_memory_spent_spills_and_still_stores_every_byte()
    {
        const int budget = 8 * 32 * 1024;
        await using var store = await _data.OpenAsync(_data.Options with { PayloadMemoryBytes = budget, PayloadMemoryWait = TimeSpan.Zero });
        var holders = new List<Submission>();
        for (var i = 0; i < 8; i++)
        {
            var holder = store.Begin();
            holder.Project = store.Project("acme", "game");
            await holder.AddAsync(PayloadKind.Report, "report", StoreActions.Bytes(20_000, i));
            Assert.False(holder.Payloads[0].IsSpilled);
            holders.Add(holder);
        }

        Assert.Equal(budget, store.Statistics.PayloadMemory);
        var spilled = await store.SubmitAsync(StoreActions.Bytes(50_000, 100), writeSize: 7_000);
        Assert.True(store.Statistics.MemorySpills > 0);
        Assert.Equal(1, store.Statistics.LargePayloads);
        Assert.Equal(budget, store.Statistics.PayloadMemory);

        var receipts = new List<Receipt>();
        foreach (var holder in holders)
        {
            receipts.Add(await store.CommitAsync(holder));
        }

        Assert.Equal(0, store.Statistics.PayloadMemory);
        using var reader = StoreReader.Open(_data.Path);
        reader.AssertHolds(spilled);
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(StoreActions.Bytes(20_000, i), reader.ReadAll(reader.Find(ObjectReference.ForId(receipts[i].ObjectId))!.Payloads[0]));
        }
    }

    [Fact]
    public async Task A_payload_that_spills_half_way_keeps_the_half_it_had_in_memory()
    {
        const int budget = 2 * 32 * 1024;
        await using var store = await _data.OpenAsync(_data.Options with { PayloadMemoryBytes = budget, PayloadMemoryWait = TimeSpan.Zero });
        var sent = await store.SubmitAsync(StoreActions.Bytes(400_000), writeSize: 10_000);
        Assert.Equal(1, store.Statistics.LargePayloads);
        using var reader = StoreReader.Open(_data.Path);
        reader.AssertHolds(sent);
    }

    [Fact]
    public async Task A_writer_waits_for_memory_that_comes_back_in_time()
    {
        await using var store = await _data.OpenAsync(_data.Options with { PayloadMemoryBytes = 32 * 1024, PayloadMemoryWait = TimeSpan.FromMinutes(1) });
        var holder = store.Begin();
        holder.Project = store.Project("acme", "game");
        await holder.AddAsync(PayloadKind.Report, "report", StoreActions.Bytes(20_000));
        var waiting = store.SubmitAsync(StoreActions.Bytes(10_000));
        Assert.False(waiting.IsCompleted);
        holder.Dispose();
        await waiting;
        Assert.Equal((0, 0), (store.Statistics.LargePayloads, store.Statistics.MemorySpills));
    }

    [Theory]
    [InlineData(LargeFileMode.Direct)]
    [InlineData(LargeFileMode.EarlyWriteBack)]
    public async Task Uploads_without_write_buffers_go_straight_from_the_callers_memory(LargeFileMode mode)
    {
        await using var store = await _data.OpenAsync(_data.Options with { LargeFiles = mode, LargeBufferBytes = 64 * 1024, LargeBufferMemoryBytes = 3 * 64 * 1024 });
        var sent = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(() => store.SubmitAsync(StoreActions.Bytes(2_000_000 + i, i), writeSize: 16_384))));
        using var reader = StoreReader.Open(_data.Path);
        Assert.All(sent, reader.AssertHolds);
    }
}
