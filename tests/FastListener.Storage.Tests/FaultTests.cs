namespace FastListener.Storage.Tests;

public sealed class FaultTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    /// <param name="together">Whether several are committed in one batch, which a fault costs whole, or each alone.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_single_fault_at_any_call_costs_at_most_the_submissions_it_hits(bool together)
    {
        var calls = 0;
        var failing = 0;
        var largest = 0;
        for (var at = 1; at <= Math.Max(calls, 1); at++)
        {
            var directory = Path.Combine(_data.Path, $"{at}");
            var device = new TestDevice();
            await using (var store = await _data.OpenAsync(Scenario.Options(directory), device))
            {
                calls = 0;
                var due = at;
                device.Before = (call, path) =>
                {
                    if (Interlocked.Increment(ref calls) == due)
                    {
                        throw new StorageFaultException(StorageFaultKind.InputOutput, $"No {call} for {path}.");
                    }
                };
                var (acked, attached, refused) = together ? await Scenario.RunTogetherAsync(store, device) : await Scenario.RunAsync(store);
                failing += refused > 0 ? 1 : 0;
                if (await Record.ExceptionAsync(async () => acked.Add(await store.SubmitAsync(StoreActions.Bytes(2222)))) is StorageFaultException)
                {
                    refused++;
                    acked.Add(await store.SubmitAsync(StoreActions.Bytes(2222)));
                }

                Assert.InRange(refused, 0, together ? Scenario.MostTogether : 1);
                Assert.InRange(store.Statistics.FailedBatches, 0, 1);
                largest = Math.Max(largest, refused);
                Scenario.AssertKept(directory, acked, attached);
                await store.DisposeAsync();
                device.Before = (_, _) => { };
                await using (await _data.OpenAsync(Scenario.Options(directory)))
                {
                    Scenario.AssertKept(directory, acked, attached);
                }
            }

            Directory.Delete(directory, recursive: true);
        }

        Assert.True(calls > 40, $"{calls} calls");
        Assert.True(failing > 30, $"{failing} faults hit a submission");
        Assert.InRange(largest, together ? 3 : 1, Scenario.MostTogether);
    }

    [Fact]
    public async Task A_failed_sync_fails_the_whole_batch_and_ends_the_pack_where_it_was_committed()
    {
        var device = new TestDevice();
        await using var store = await _data.OpenAsync(device: device);
        var first = await store.SubmitAsync(StoreActions.Bytes(20_000));
        var pack = Directory.GetFiles(Path.Combine(_data.Path, "packs")).Single();
        var committed = StoreActions.CommittedEnd(_data.Path);

        var arrived = new CountdownEvent(8);
        device.Before = (call, path) =>
        {
            if (call == "write" && path == pack)
            {
                arrived.Wait(TimeSpan.FromSeconds(30)); // the rest queues up behind the first
            }

            if (call == "sync" && path == pack && Thread.CurrentThread.Name == "pack") // and not the idle committer's, which writes ahead
            {
                throw new StorageFaultException(StorageFaultKind.InputOutput, "The disk lost it.");
            }
        };
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
        {
            using var submission = store.Begin();
            submission.Project = store.Project("acme", "game");
            await submission.AddAsync(PayloadKind.Report, "report", StoreActions.Bytes(5000, i));
            var commit = store.CommitAsync(submission);
            arrived.Signal();
            return await Record.ExceptionAsync(async () => await commit);
        })));
        device.Before = (_, _) => { };
        var refused = outcomes.Count(o => o is StorageFaultException { Kind: StorageFaultKind.InputOutput });
        Assert.InRange(refused, 1, 8);
        Assert.Equal(refused, store.Statistics.FailedSubmissions);

        var next = await store.SubmitAsync(StoreActions.Bytes(20_001));
        Assert.Null(store.Statistics.CurrentFault);
        Assert.Equal(2, Directory.GetFiles(Path.Combine(_data.Path, "packs")).Length);
        Assert.Equal(committed + 4096, new FileInfo(pack).Length); // cut, then ended
        using var reader = StoreReader.Open(_data.Path);
        reader.AssertHolds(first);
        reader.AssertHolds(next);
        Assert.True(next.Receipt.ObjectId > first.Receipt.ObjectId + refused, "ids of a failed batch are used again");
        Assert.Equal(2 + 8 - refused, reader.List(new()).Count());
        Assert.True(Verification.Run(_data.Path).IsClean);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_pack_whose_sync_fails_after_the_catalog_has_committed_is_taken_out_of_the_catalog_again(int failingUndos)
    {
        var device = new TestDevice();
        var sent = new List<Sent>();
        await using (var store = await _data.OpenAsync(Scenario.Options(_data.Path), device))
        {
            sent.Add(await store.SubmitAsync(StoreActions.Bytes(3000)));
            var pack = Directory.GetFiles(Path.Combine(_data.Path, "packs")).Single();
            var logSyncs = device.LosePackAfterTheCatalogHasCommitted(pack, failingUndos);
            await Assert.ThrowsAsync<StorageFaultException>(() => store.SubmitAsync(StoreActions.Bytes(50_000)));
            if (failingUndos == 2)
            {
                await Assert.ThrowsAsync<StorageFaultException>(() => store.SubmitAsync(StoreActions.Bytes(3001)));
            }

            device.Before = (_, _) => { };
            sent.Add(await store.SubmitAsync(StoreActions.Bytes(3002)));
            Assert.Equal(1 + Math.Max(failingUndos, 1), logSyncs());
            using var reader = StoreReader.Open(_data.Path);
            Assert.Equal(2, reader.List(new()).Count());
        }

        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_data.Path, "files"), "*", SearchOption.AllDirectories));
        await using (await _data.OpenAsync(Scenario.Options(_data.Path)))
        {
            Scenario.AssertKept(_data.Path, sent, []);
        }
    }

    [Fact]
    public async Task A_reader_does_not_keep_the_catalog_from_being_trusted_again()
    {
        var device = new TestDevice();
        await using var store = await _data.OpenAsync(Scenario.Options(_data.Path), device);
        var sent = new List<Sent> { await store.SubmitAsync(StoreActions.Bytes(3000)) };
        using var reading = Catalog.CatalogConnection.OpenForReading(Path.Combine(_data.Path, "catalog.db")); // as a backup does, for minutes
        reading.Execute("BEGIN");
        Assert.Equal(1, reading.Scalar("SELECT count(*) FROM objects"));

        device.Before = (call, path) =>
        {
            if (call == "sync" && path.EndsWith("-wal", StringComparison.Ordinal))
            {
                throw new StorageFaultException(StorageFaultKind.InputOutput, "The disk lost it.");
            }
        };
        await Assert.ThrowsAsync<StorageFaultException>(() => store.SubmitAsync(StoreActions.Bytes(3001)));
        var written = 0;
        device.Before = (call, path) => written += call == "write" && path.EndsWith("-wal", StringComparison.Ordinal) ? 1 : 0;
        sent.Add(await store.SubmitAsync(StoreActions.Bytes(3002)));
        Assert.True(written > 0, "the log was not written once more");
        Assert.Equal(1, reading.Scalar("SELECT count(*) FROM objects"));
        reading.Execute("COMMIT");
        Scenario.AssertKept(_data.Path, sent, []);
    }

    [Theory]
    [InlineData(StorageFaultKind.DiskFull)]
    [InlineData(StorageFaultKind.ReadOnly)]
    [InlineData(StorageFaultKind.InputOutput)]
    public async Task A_fault_that_lasts_refuses_everything_and_clears_by_itself(StorageFaultKind kind)
    {
        var device = new TestDevice();
        await using var store = await _data.OpenAsync(Scenario.Options(_data.Path), device);
        var before = await store.SubmitAsync(StoreActions.Bytes(3000));
        device.Before = (call, path) => throw new StorageFaultException(kind, $"{call} {path}");
        for (var i = 0; i < 10; i++)
        {
            var small = await Assert.ThrowsAsync<StorageFaultException>(() => store.SubmitAsync(StoreActions.Bytes(3000)));
            var large = await Assert.ThrowsAsync<StorageFaultException>(() => store.SubmitAsync(StoreActions.Bytes(100_000)));
            Assert.Equal((kind, kind), (small.Kind, large.Kind));
        }

        Assert.Equal(kind, store.Statistics.CurrentFault);
        device.Before = (_, _) => { };
        var after = await store.SubmitAsync(StoreActions.Bytes(100_001));
        Scenario.AssertKept(_data.Path, [before, after], []);
    }

    [Fact]
    public async Task A_catalog_that_cannot_commit_is_opened_anew_and_its_batch_is_not_acknowledged()
    {
        await using var store = await _data.OpenAsync(Scenario.Options(_data.Path));
        var before = await store.SubmitAsync(StoreActions.Bytes(3000));
        SQLitePCL.raw.sqlite3_commit_hook(store.Target.Catalog!.Connection.Handle, _ => 1, null!); // turns COMMIT into ROLLBACK
        await Assert.ThrowsAsync<StorageFaultException>(() => store.SubmitAsync(StoreActions.Bytes(50_000)));
        var after = await store.SubmitAsync(StoreActions.Bytes(50_001));
        Scenario.AssertKept(_data.Path, [before, after], []);
        using var reader = StoreReader.Open(_data.Path);
        Assert.Equal(2, reader.List(new()).Count());
        Assert.Single(Directory.EnumerateFiles(Path.Combine(_data.Path, "files"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_catalog_without_space_says_disk_full()
    {
        await using var store = await _data.OpenAsync();
        var before = await store.SubmitAsync(StoreActions.Bytes(3000));
        var connection = store.Target.Catalog!.Connection;
        connection.Execute("PRAGMA max_page_count=1");
        var attributes = Enumerable.Range(0, 40_000).Select(i => KeyValuePair.Create($"n{i}", "v")).ToArray();
        var fault = await Assert.ThrowsAsync<StorageFaultException>(() => store.SubmitAsync(StoreActions.Bytes(3000), attributes: attributes));
        Assert.Equal(StorageFaultKind.DiskFull, fault.Kind);
        Assert.NotSame(connection, store.Target.Catalog?.Connection);
        var after = await store.SubmitAsync(StoreActions.Bytes(3001), attributes: attributes);
        Scenario.AssertKept(_data.Path, [before, after], []);
    }

    [Fact]
    public async Task A_late_attachment_to_an_object_that_does_not_exist_fails_alone()
    {
        await using var store = await _data.OpenAsync();
        var sent = await store.SubmitAsync(StoreActions.Bytes(3000));
        var fault = await Assert.ThrowsAsync<StorageFaultException>(() => store.AttachAsync(sent.Receipt.ObjectId + 1000, "late", [1, 2, 3]));
        Assert.Equal(StorageFaultKind.ObjectGone, fault.Kind);
        Assert.Equal(1, (await store.AttachAsync(sent.Receipt.ObjectId, "late", [1, 2, 3])).AttachmentId);
    }

    [Fact]
    public async Task However_many_late_attachments_come_at_once_no_more_are_stored_than_the_object_may_have()
    {
        await using var store = await _data.OpenAsync();
        var sent = await store.SubmitAsync(StoreActions.Bytes(3000));
        async Task<bool> AttachAsync(int i)
        {
            using var submission = store.Begin();
            submission.FollowUpOf = sent.Receipt.ObjectId;
            submission.MaxPayloadsOfObject = 8; // its report and seven
            await submission.AddAsync(PayloadKind.Attachment, $"late{i}", [1, 2, 3]);
            try
            {
                await store.CommitAsync(submission);
                return true;
            }
            catch (StorageFaultException fault) when (fault.Kind is StorageFaultKind.ObjectFull)
            {
                return false;
            }
        }

        var stored = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => AttachAsync(i))));
        Assert.Equal(7, stored.Count(kept => kept));
        Assert.Equal(8, (await store.AttachAsync(sent.Receipt.ObjectId, "unlimited", [1])).AttachmentId);
    }

    [Fact]
    public async Task A_submission_that_is_disposed_erases_what_it_wrote()
    {
        await using (var store = await _data.OpenAsync(Scenario.Options(_data.Path)))
        {
            using (var unfinished = store.Begin())
            {
                var payload = unfinished.AddPayload(PayloadKind.Report, "r"u8, default, default);
                await payload.WriteAsync(StoreActions.Bytes(100_000));
            }

            using (var finished = store.Begin())
            {
                await finished.AddAsync(PayloadKind.Report, "r", StoreActions.Bytes(100_000));
                Assert.True(finished.Payloads[0].IsSpilled);
            }

            Assert.Equal(0, store.Statistics.PayloadMemory);
        }

        Assert.Empty(Directory.EnumerateFiles(Path.Combine(_data.Path, "files"), "*", SearchOption.AllDirectories));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_data.Path, "staging")));
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_data.Path, "orphans")));
    }

    [Fact]
    public async Task A_closed_store_refuses_and_says_so()
    {
        var store = await _data.OpenAsync();
        using var submission = store.Begin();
        submission.Project = store.Project("acme", "game");
        await submission.AddAsync(PayloadKind.Report, "r", [1]);
        await store.DisposeAsync();
        var fault = await Assert.ThrowsAsync<StorageFaultException>(async () => await store.CommitAsync(submission));
        Assert.Equal(StorageFaultKind.Stopping, fault.Kind);
    }
}
