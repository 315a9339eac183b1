using FastListener.Storage.Catalog;

namespace FastListener.Storage.Tests;

/// <summary>Several stores on one directory, as two processes have it while one takes over from the other.</summary>
public sealed class OverlapTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    private StoreOptions Options => Scenario.Options(_data.Path);

    [Fact]
    public async Task Two_stores_commit_side_by_side_and_either_may_leave_at_any_time()
    {
        var first = await _data.OpenAsync(Options);
        await using var second = await _data.OpenAsync(Options);
        var runs = new[] { (first, 0), (second, 1000), (first, 2000), (second, 3000) }
            .Select(run => Task.Run(() => Scenario.RunAsync(run.Item1, run.Item2)));
        var results = (await Task.WhenAll(runs)).ToList();
        await first.DisposeAsync();
        results.Add(await Scenario.RunAsync(second, 4000));
        await using (var third = await _data.OpenAsync(Options))
        {
            var both = await Task.WhenAll(Task.Run(() => Scenario.RunAsync(second, 5000)), Task.Run(() => Scenario.RunAsync(third, 6000)));
            results.AddRange(both);
        }

        await second.DisposeAsync();
        var acked = results.SelectMany(result => result.Acked).ToList();
        Assert.Equal(0, results.Sum(result => result.Refused));
        Assert.Equal(acked.Count, acked.Select(sent => sent.Receipt.ObjectId).Distinct().Count());
        Scenario.AssertKept(_data.Path, acked, [.. results.SelectMany(result => result.Attached)]);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_data.Path + "/orphans"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_data.Path + "/staging"));
        using var catalog = CatalogConnection.OpenForReading(_data.Path + "/catalog.db");
        Assert.Equal(0, catalog.Scalar("SELECT count(*) FROM instances"));
        Assert.Equal(0, catalog.Scalar("SELECT count(*) FROM packs WHERE is_open=1"));
    }

    [Fact]
    public async Task A_store_that_is_gone_is_recovered_and_one_that_lives_is_left_alone()
    {
        var gone = await _data.OpenAsync(Options);
        var device = new TestDevice();
        await using var living = await _data.OpenAsync(Options, device);
        var kept = new List<Sent>
        {
            await gone.SubmitAsync(StoreActions.Bytes(3000, 1)),
            await gone.SubmitAsync(StoreActions.Bytes(30_000, 2)),
            await living.SubmitAsync(StoreActions.Bytes(3000, 3)),
            await living.SubmitAsync(StoreActions.Bytes(30_000, 4)),
        };
        using var halfOfGone = await HalfAsync(gone);
        using var halfOfLiving = await HalfAsync(living);
        using var wholeOfGone = gone.Begin();
        await wholeOfGone.AddAsync(PayloadKind.Report, "r", StoreActions.Bytes(20_001)); // in files/, never committed
        using var wholeOfLiving = living.Begin();
        wholeOfLiving.Project = living.Project("acme", "game");
        await wholeOfLiving.AddAsync(PayloadKind.Report, "r", StoreActions.Bytes(20_002, 5));
        gone.Instance.LetGo(); // killed: it never says another word

        await using var heir = await _data.OpenAsync(Options);
        Assert.False(Directory.Exists(StagingOf(gone)));
        Assert.Single(Directory.GetFiles(StagingOf(living)), file => !file.EndsWith("/lock", StringComparison.Ordinal));
        Assert.Single(Directory.GetFiles(_data.Path + "/orphans"));
        using (var catalog = CatalogConnection.OpenForReading(_data.Path + "/catalog.db"))
        {
            Assert.Equal(living.Instance.Id, catalog.Scalar("SELECT instance FROM packs WHERE is_open=1"));
        }

        var receipt = await living.CommitBookedAsync(wholeOfLiving);
        kept.Add(new(receipt, StoreActions.Bytes(20_002, 5), []));
        kept.Add(await heir.SubmitAsync(StoreActions.Bytes(3000, 6)));
        kept.Add(await living.SubmitAsync(StoreActions.Bytes(3000, 7)));
        Assert.Equal(kept.Count, kept.Select(sent => sent.Receipt.ObjectId).Distinct().Count());
        Scenario.AssertKept(_data.Path, kept, []);
    }

    [Theory]
    [InlineData(1)] // before its header is written
    [InlineData(2)] // before its first batch
    public async Task A_pack_that_another_has_just_begun_is_not_taken_for_a_leftover(int pausedBefore)
    {
        var gone = await _data.OpenAsync(Options);
        await gone.SubmitAsync(StoreActions.Bytes(3000));
        var leftover = _data.Path + "/packs/0000000099.pack";
        File.Copy(Directory.GetFiles(_data.Path + "/packs").Single(), leftover);

        using var begun = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var writes = 0;
        var device = new TestDevice();
        await using var living = await _data.OpenAsync(Options, device);
        device.Before = (call, path) =>
        {
            if (call == "write" && path.EndsWith(".pack", StringComparison.Ordinal) && Interlocked.Increment(ref writes) == pausedBefore)
            {
                begun.Set();
                Assert.True(goOn.Wait(TimeSpan.FromSeconds(30)));
            }
        };
        var submitting = Task.Run(() => living.SubmitAsync(StoreActions.Bytes(3000, 1)));
        Assert.True(begun.Wait(TimeSpan.FromSeconds(30)));
        gone.Instance.LetGo();
        await using var heir = await _data.OpenAsync(Options);
        goOn.Set();
        var sent = await submitting;
        Scenario.AssertKept(_data.Path, [sent], []);
        Assert.Equal(Path.GetFileName(leftover), Path.GetFileName(Assert.Single(Directory.GetFiles(_data.Path + "/orphans"))));
    }

    [Fact]
    public async Task A_late_attachment_finds_an_object_of_a_project_that_another_has_made_since()
    {
        await using var first = await _data.OpenAsync(Options);
        await using var second = await _data.OpenAsync(Options);
        var sent = await first.SubmitAsync(StoreActions.Bytes(3000), project: "new");
        Assert.True(second.TryResolve(sent.Reference, second.Project("acme", "new"), out var id));
        Assert.Equal(sent.Receipt.ObjectId, id);
        Assert.False(second.TryResolve(sent.Reference, second.Project("acme", "other"), out _));
        Assert.Equal(1, (await second.AttachAsync(id, "late", [1, 2, 3])).AttachmentId);
        Assert.Equal(2, (await first.AttachAsync(id, "late", [4, 5, 6])).AttachmentId);
    }

    [Fact]
    public async Task A_log_that_one_of_them_cannot_make_durable_costs_only_its_own_batch()
    {
        var device = new TestDevice();
        await using var failing = await _data.OpenAsync(Options, device);
        await using var other = await _data.OpenAsync(Options);
        var kept = new List<Sent>();
        for (var round = 0; round < 5; round++)
        {
            kept.Add(await failing.SubmitAsync(StoreActions.Bytes(3000, round)));
            kept.Add(await other.SubmitAsync(StoreActions.Bytes(3000, 100 + round)));
            device.Before = (call, path) =>
            {
                if (call == "sync" && path.EndsWith("-wal", StringComparison.Ordinal))
                {
                    throw new StorageFaultException(StorageFaultKind.InputOutput, "The disk lost it.");
                }
            };
            await Assert.ThrowsAsync<StorageFaultException>(() => failing.SubmitAsync(StoreActions.Bytes(50_000)));
            device.Before = (_, _) => { };
        }

        kept.Add(await failing.SubmitAsync(StoreActions.Bytes(3001)));
        Scenario.AssertKept(_data.Path, kept, []);
    }

    [Fact]
    public async Task An_older_catalog_is_not_migrated_under_a_process_that_still_writes_it()
    {
        var older = await _data.OpenAsync(Options);
        older.Target.Catalog!.Connection.Execute("PRAGMA user_version=2");
        var refused = await Assert.ThrowsAsync<StoreBusyException>(() => _data.OpenAsync(Options));
        Assert.Equal(Path.GetFullPath(_data.Path), refused.DataDirectory);
        older.Target.Catalog!.Connection.Execute($"PRAGMA user_version={CatalogSchema.Version}");
        await older.SubmitAsync([1]);
        await older.DisposeAsync();
    }

    [Fact]
    public async Task Salvage_waits_for_nobody_and_nobody_starts_under_it()
    {
        await using (var store = await _data.OpenAsync(Options))
        {
            await store.SubmitAsync([1]);
            Assert.Throws<StoreBusyException>(() => Salvage.Run(_data.Path));
        }

        using (Devices.LockFile.TryTake(_data.Path + "/lock"))
        {
            await Assert.ThrowsAsync<StoreBusyException>(() => _data.OpenAsync(Options));
        }
    }

    [Fact]
    public async Task A_log_that_somebody_reads_is_never_called_empty()
    {
        await using (await _data.OpenAsync(Options))
        {
        }

        using var writer = CatalogConnection.OpenForWriting(_data.Path + "/catalog.db", create: false);
        writer.SetBusyTimeout(0);
        using (var reader = CatalogConnection.OpenForReading(_data.Path + "/catalog.db"))
        {
            reader.Execute("BEGIN; SELECT count(*) FROM projects");
            writer.Execute("INSERT INTO projects(universe, project) VALUES('acme', 'game')");
            writer.Checkpoint();
            Assert.False(writer.TryEmptyLog());
            Assert.Throws<StorageFaultException>(writer.EmptyLog);
        }

        Assert.True(new FileInfo(_data.Path + "/catalog.db-wal").Length > 0);
        writer.EmptyLog();
        Assert.Equal(0, new FileInfo(_data.Path + "/catalog.db-wal").Length);
    }

    private static async Task<Submission> HalfAsync(ObjectStore store)
    {
        var half = store.Begin();
        await half.AddPayload(PayloadKind.Report, "r"u8, default, default).WriteAsync(StoreActions.Bytes(20_000));
        return half;
    }

    private string StagingOf(ObjectStore store) => _data.Path + "/staging/" + StoreLayout.InstanceName(store.Instance.Id);
}
