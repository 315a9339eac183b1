using FastListener.Storage.Catalog;

namespace FastListener.Storage.Tests;

/// <summary>What the ledger says, and what an audit makes of it.</summary>
public sealed class LedgerTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Every_outcome_is_booked_for_its_account_and_outlives_the_process()
    {
        await using (var store = await _data.OpenAsync(Scenario.Options(_data.Path)))
        {
            await CommitAsync(store, "a", Degradation.None, 1000);
            await CommitAsync(store, "a", Degradation.None, 20_000);
            await CommitAsync(store, "b", Degradation.MetadataOnly, 7000);
            Refuse(store, "a", "body_too_large", 5);
            Refuse(store, "a", "body_too_large", 6);
            Refuse(store, "", "invalid_token", 0);
            Refuse(store, "b", LedgerOutcome.BrokenOff, 300);
        }

        var report = Clean(Audit.Run(_data.Path));
        Assert.Equal(
            [
                new("", "invalid_token", 1, 0, 1, 0, 0),
                new("a", "accepted", 2, 21_200, 2, 21_200, 21_000),
                new("a", "body_too_large", 2, 11, 2, 11, 0),
                new("b", "broken_off", 1, 300, 1, 300, 0),
                new("b", "degraded", 1, 7100, 1, 7100, 0),
            ],
            report.Lines.OrderBy(line => (line.Account, line.Outcome)));
        var stored = new StoredCount(2, 21_200, 21_000);
        Assert.Equal(
            [new("a", "accepted", stored, stored, stored), new("b", "degraded", new(1, 7100, 0), new(1, 7100, 0), new(1, 7100, 0))], report.Stored);
        Assert.Equal((7, 28_611, 0), (report.Received, report.ReceivedBytes, report.Unbooked));

        await using (var store = await _data.OpenAsync(Scenario.Options(_data.Path)))
        {
            Refuse(store, "a", "body_too_large", 1);
            await CommitAsync(store, "a", Degradation.None, 10);
        }

        Assert.Equal((9, 28_722), (Clean(Audit.Run(_data.Path)).Received, Audit.Run(_data.Path).ReceivedBytes));
    }

    [Fact]
    public async Task What_was_not_stored_is_booked_without_waiting_for_a_batch()
    {
        await using var store = await _data.OpenAsync();
        Refuse(store, "a", "invalid_token", 5);
        await BookedAsync("invalid_token", 1);
        Refuse(store, "a", "invalid_token", 5);
        await BookedAsync("invalid_token", 2);
        Clean(Audit.Run(_data.Path));
    }

    [Fact]
    public async Task Whoever_asks_for_the_books_has_all_of_his_own_in_them_while_others_submit()
    {
        var device = new TestDevice();
        await using var store = await _data.OpenAsync(device: device);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(async () =>
        {
            for (var n = 1; n <= 25; n++)
            {
                Refuse(store, $"{i}", "invalid_token", 5);
                if (i % 2 == 0)
                {
                    await CommitAsync(store, $"{i}", Degradation.None, 100);
                }

                Assert.True(await store.WriteLedgerAsync().WaitAsync(TimeSpan.FromSeconds(30)));
                Assert.Equal(n, Clean(Audit.Run(_data.Path)).Lines.Single(line => line.Account == $"{i}" && line.Outcome == "invalid_token").Requests);
            }
        })));

        Refuse(store, "a", "empty_body", 0);
        device.Before = (call, path) => throw new StorageFaultException(StorageFaultKind.DiskFull, $"{call} {path}");
        Assert.False(await store.WriteLedgerAsync().WaitAsync(TimeSpan.FromSeconds(30)));
        device.Before = (_, _) => { };
        Assert.True(await store.WriteLedgerAsync().WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal((151, 1), (Clean(Audit.Run(_data.Path)).Received, Audit.Run(_data.Path).Lines.Single(line => line.Outcome == "empty_body").Requests));
    }

    [Fact]
    public async Task Nobody_refused_costs_a_sync_of_his_own()
    {
        var syncs = 0;
        var device = new TestDevice { Before = (call, _) => syncs += call == "sync" ? 1 : 0 };
        await using var store = await _data.OpenAsync(device: device);
        var before = Volatile.Read(ref syncs);
        for (var i = 0; i < 20_000; i++)
        {
            Refuse(store, "a", "invalid_token", 1);
        }

        await BookedAsync("invalid_token", 20_000);
        Assert.InRange(Volatile.Read(ref syncs) - before, 1, 100);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_batch_that_is_taken_out_of_the_catalog_is_taken_out_of_the_ledger_and_refusals_booked_with_it_stay(int failingUndos)
    {
        var device = new TestDevice();
        await using (var store = await _data.OpenAsync(Scenario.Options(_data.Path), device))
        {
            await CommitAsync(store, "a", Degradation.None, 3000);
            var pack = Directory.GetFiles(Path.Combine(_data.Path, "packs")).Single();
            device.LosePackAfterTheCatalogHasCommitted(pack, failingUndos);
            Refuse(store, "a", "body_too_large", 4);
            await Assert.ThrowsAsync<StorageFaultException>(() => CommitAsync(store, "a", Degradation.None, 50_000));
            device.Before = (_, _) => { };
            await CommitAsync(store, "b", Degradation.None, 10);
        }

        var report = Clean(Audit.Run(_data.Path));
        Assert.Equal(
            [
                new("a", "accepted", 1, 3100, 1, 3100, 3000),
                new("a", "body_too_large", 1, 4, 1, 4, 0),
                new("a", "storage_fault", 1, 50_100, 1, 50_100, 0),
                new("b", "accepted", 1, 110, 1, 110, 10),
            ],
            report.Lines.OrderBy(line => (line.Account, line.Outcome)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Refusals_in_a_transaction_that_failed_are_booked_once(bool committedAllTheSame)
    {
        var device = new TestDevice();
        await using (var store = await _data.OpenAsync(device: device))
        {
            await CommitAsync(store, "a", Degradation.None, 100);
            Refuse(store, "a", "body_too_large", 4);

            // With the log's sync the transaction is in the log and nobody knows; with the pack's write, which a large batch leaves to the pack's thread, it is rolled back.
            device.Before = (call, path) =>
            {
                if (committedAllTheSame ? call == "sync" && path.EndsWith("-wal", StringComparison.Ordinal) : call == "write" && Thread.CurrentThread.Name == "pack")
                {
                    throw new StorageFaultException(StorageFaultKind.InputOutput, "The disk lost it.");
                }
            };
            await Assert.ThrowsAsync<StorageFaultException>(() => CommitAsync(store, "a", Degradation.None, 500_000));
            device.Before = (_, _) => { };
            await CommitAsync(store, "a", Degradation.None, 300);
        }

        var refused = Assert.Single(Clean(Audit.Run(_data.Path)).Lines, line => line.Outcome == "body_too_large");
        Assert.Equal((1, 1), (refused.Received, refused.Requests));
    }

    [Fact]
    public async Task A_request_that_only_one_side_knows_of_fails_the_audit()
    {
        await using (var store = await _data.OpenAsync())
        {
            var entry = store.NewEntry();
            entry.Open();
            entry.Close(10);
            entry.Open();
            entry.Settle("body_too_large", 10);
            entry.Settle("storage_fault", 10);
            entry.Close(10);
            entry.Open();
            entry.Settle("empty_body", 10);
            entry.Close(11);
            entry.Settle("never opened", 1);
            entry.Close(1);
            entry.Open();
            entry.Dismiss();
            entry.Settle("dismissed", 1);
            entry.Close(1);
            entry.Open();
            (entry.Account, entry.ReceivedBytes) = ("not closed", 12);
            entry.Open();
            entry.Settle("missing_report", 13);
            entry.Close(13);
        }

        Assert.Equal(
            [
                "Nobody's, body_too_large: 0 requests with 0 bytes were received, 1 with 10 have that outcome.",
                "Nobody's, empty_body: 1 requests with 11 bytes were received, 1 with 10 have that outcome.",
                "Nobody's, unsettled: 1 requests with 10 bytes were received, 0 with 0 have that outcome.",
                "not closed, unsettled: 1 requests with 12 bytes were received, 0 with 0 have that outcome.",
            ],
            Audit.Run(_data.Path).Differences.Order());
    }

    [Fact]
    public async Task What_is_stored_counts_as_received_only_by_whoever_received_it()
    {
        await using (var store = await _data.OpenAsync())
        {
            var entry = store.NewEntry();
            await CommitAsync("a row that nobody received", null);

            Open("one row", 100);
            await CommitAsync("one row", entry);
            entry.Close(100);

            Open("two rows", 100);
            await CommitAsync("two rows", entry);
            await CommitAsync("two rows", entry);
            entry.Close(100);

            Open("a row that is not this request's", 100);
            await CommitAsync("a row that is not this request's", null);
            entry.Close(100);

            Open("dismissed", 100);
            entry.Dismiss();
            await CommitAsync("dismissed", entry);
            entry.Close(100);

            Open("fewer bytes", 99);
            await CommitAsync("fewer bytes", entry);
            entry.Close(99);

            void Open(string account, long bytes)
            {
                entry.Open();
                (entry.Account, entry.ReceivedBytes) = (account, bytes);
            }

            async Task CommitAsync(string account, LedgerEntry? received)
            {
                using var submission = store.Begin();
                submission.Project = store.Project("acme", "game");
                (submission.Account, submission.Entry, submission.WireBytes) = (account, received, 100);
                await submission.AddAsync(PayloadKind.Report, "report", StoreActions.Bytes(50));
                await store.CommitAsync(submission);
            }
        }

        Assert.Equal(
            [
                "a row that is not this request's, accepted: 0 requests with 0 bytes were received, 1 with 100 have that outcome.",
                "a row that is not this request's, unsettled: 1 requests with 100 bytes were received, 0 with 0 have that outcome.",
                "a row that nobody received, accepted: 0 requests with 0 bytes were received, 1 with 100 have that outcome.",
                "dismissed, accepted: 0 requests with 0 bytes were received, 1 with 100 have that outcome.",
                "fewer bytes, accepted: 1 requests with 99 bytes were received, 1 with 100 have that outcome.",
                "two rows, accepted: 1 requests with 100 bytes were received, 2 with 200 have that outcome.",
            ],
            Audit.Run(_data.Path).Differences.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("DELETE FROM objects WHERE id=(SELECT max(id) FROM objects)")]
    [InlineData("DELETE FROM attachments")]
    [InlineData("UPDATE objects SET wire_bytes=wire_bytes+1 WHERE id=1")]
    [InlineData("UPDATE objects SET kept_bytes=0 WHERE id=1")]
    [InlineData("UPDATE objects SET flags=flags|2 WHERE id=1")]
    [InlineData("UPDATE ledger SET requests=requests+1 WHERE outcome='accepted'")]
    [InlineData("UPDATE ledger SET received=received+1, requests=requests+1 WHERE outcome='accepted'")]
    [InlineData("DELETE FROM ledger")]
    [InlineData(null)]
    public async Task What_was_tampered_with_fails_the_audit(string? sql)
    {
        await using (var store = await _data.OpenAsync(Scenario.Options(_data.Path)))
        {
            await Scenario.RunAsync(store);
        }

        Clean(Audit.Run(_data.Path));
        if (sql is null)
        {
            File.Delete(Directory.GetFiles(_data.Path + "/files", "*", SearchOption.AllDirectories)[0]);
        }
        else
        {
            using var catalog = CatalogConnection.OpenForWriting(_data.Path + "/catalog.db", create: false);
            catalog.Execute(sql);
        }

        Assert.False(Audit.Run(_data.Path).IsClean);
    }

    [Fact]
    public async Task Since_counts_from_the_beginning_of_its_hour()
    {
        var clock = new MovedClock { Now = new(2026, 1, 1, 10, 59, 59, TimeSpan.Zero) };
        await using (var store = await _data.OpenAsync(time: clock))
        {
            await CommitAsync(store, "a", Degradation.None, 100);
            clock.Now = new(2026, 1, 1, 11, 0, 1, TimeSpan.Zero);
            await CommitAsync(store, "a", Degradation.None, 200);
            Refuse(store, "a", "empty_body", 0);
        }

        var report = Clean(Audit.Run(_data.Path, new DateTimeOffset(2026, 1, 1, 11, 30, 0, TimeSpan.Zero)));
        Assert.Equal((2, 300), (report.Received, report.ReceivedBytes));
        Assert.Equal(new DateTimeOffset(2026, 1, 1, 11, 0, 0, TimeSpan.Zero), report.Since);
        Assert.Equal(3, Clean(Audit.Run(_data.Path)).Received);
    }

    [Fact]
    public async Task A_backup_has_the_ledger_and_a_salvaged_store_begins_one_anew()
    {
        var live = _data.Path + "/live";
        await using (var store = await _data.OpenAsync(Scenario.Options(live)))
        {
            await Scenario.RunAsync(store);
            Backup.Run(live, _data.Path + "/copy");
        }

        Assert.Equal(10, Clean(Audit.Run(_data.Path + "/copy")).Received);
        File.Delete(live + "/catalog.db");
        Salvage.Run(live);
        Assert.Equal((0, 10), (Clean(Audit.Run(live)).Received, Audit.Run(live).Unbooked));
        await using (var store = await _data.OpenAsync(Scenario.Options(live)))
        {
            await store.SubmitAsync(StoreActions.Bytes(100));
        }

        Assert.Equal((1, 10), (Clean(Audit.Run(live)).Received, Audit.Run(live).Unbooked));
    }

    private static async Task CommitAsync(ObjectStore store, string account, Degradation degradation, int length)
    {
        using var submission = store.Begin();
        submission.Project = store.Project("acme", "game");
        submission.Account = account;
        var payload = submission.AddPayload(PayloadKind.Report, "report"u8, default, default);
        if (degradation is not Degradation.None)
        {
            submission.Degrade(degradation, "memory"u8);
            payload.Omit("memory"u8);
        }

        await payload.WriteAsync(StoreActions.Bytes(length));
        await payload.CompleteAsync();
        await store.CommitBookedAsync(submission);
    }

    private static void Refuse(ObjectStore store, string account, string word, long bytes)
    {
        var entry = store.NewEntry();
        entry.Open();
        entry.Account = account;
        entry.Settle(word, bytes);
        entry.Close(bytes);
    }

    private static AuditReport Clean(AuditReport report)
    {
        Assert.True(report.IsClean, string.Join("; ", report.Differences));
        return report;
    }

    private async Task BookedAsync(string outcome, long requests)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (Audit.Run(_data.Path).Lines.SingleOrDefault(line => line.Outcome == outcome)?.Requests != requests)
        {
            await Task.Delay(20, patience.Token);
        }
    }

    private sealed class MovedClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
