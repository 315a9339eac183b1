using System.Globalization;

namespace FastListener.Storage.Tests;

public sealed class ReadingTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Late_attachments_that_race_get_indexes_of_their_own()
    {
        await using var store = await _data.OpenAsync();
        var sent = await store.SubmitAsync(StoreActions.Bytes(100), attachments: [[1], [2]]);
        var receipts = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() => store.AttachAsync(sent.Receipt.ObjectId, $"late{i}", StoreActions.Bytes(10 + i, i)))));
        Assert.Equal(Enumerable.Range(3, 50), receipts.Select(r => r.AttachmentId).Order());
        Assert.All(receipts, r => Assert.Equal((sent.Receipt.ObjectId, 0u), (r.ObjectId, r.Random)));

        using var reader = StoreReader.Open(_data.Path);
        var found = reader.Find(sent.Reference)!;
        Assert.Equal(Enumerable.Range(0, 53), found.Payloads.Select(p => p.Index));
        for (var i = 0; i < 50; i++)
        {
            var payload = found.Payloads[receipts[i].AttachmentId];
            Assert.Equal($"late{i}", payload.Name);
            Assert.Equal(StoreActions.Bytes(10 + i, i), reader.ReadAll(payload));
        }

        Assert.Equal(3, found.PayloadCount);
        Assert.True(Verification.Run(_data.Path).IsClean);
    }

    [Fact]
    public async Task A_late_submission_of_several_payloads_takes_as_many_indexes()
    {
        await using var store = await _data.OpenAsync();
        var sent = await store.SubmitAsync([1]);
        using var submission = store.Begin();
        submission.FollowUpOf = sent.Receipt.ObjectId;
        await submission.AddAsync(PayloadKind.Attachment, "a", [1]);
        await submission.AddAsync(PayloadKind.Attachment, "b", [2]);
        Assert.Equal(1, (await store.CommitAsync(submission)).AttachmentId);
        Assert.Equal(3, (await store.AttachAsync(sent.Receipt.ObjectId, "c", [3])).AttachmentId);
    }

    [Fact]
    public async Task An_object_is_resolved_only_for_its_own_project_and_by_all_of_the_reference()
    {
        await using var store = await _data.OpenAsync();
        Assert.False(store.TryResolve(ObjectReference.ForId(1), store.Project("acme", "game"), out _));
        var sent = await store.SubmitAsync([1]);
        Assert.True(ObjectReference.TryParse(ReceiptId.Rxid(sent.Receipt.ObjectId, sent.Receipt.Random), out var full));
        Assert.True(ObjectReference.TryParse(ReceiptId.Rxid(sent.Receipt.ObjectId, 0), out var zeroFilled));
        Assert.True(ObjectReference.TryParse(ReceiptId.Rxid(sent.Receipt.ObjectId, sent.Receipt.Random ^ 1), out var wrong));
        Assert.All([full, zeroFilled, sent.Reference], r =>
        {
            Assert.True(store.TryResolve(r, store.Project("acme", "game"), out var id));
            Assert.Equal(sent.Receipt.ObjectId, id);
            Assert.False(store.TryResolve(r, store.Project("acme", "other"), out _));
            Assert.False(store.TryResolve(r, store.Project("other", "game"), out _));
        });
        Assert.False(store.TryResolve(wrong, store.Project("acme", "game"), out _));
    }

    [Fact]
    public async Task Projects_keep_their_names_over_a_restart()
    {
        Sent sent;
        await using (var store = await _data.OpenAsync())
        {
            sent = await store.SubmitAsync([1], project: "eins");
            await store.SubmitAsync([2], project: "zwei");
        }

        await using (var store = await _data.OpenAsync())
        {
            Assert.True(store.TryResolve(sent.Reference, store.Project("acme", "eins"), out _));
            await store.SubmitAsync([3], project: "zwei");
        }

        using var reader = StoreReader.Open(_data.Path);
        Assert.Equal(["zwei", "zwei", "eins"], reader.List(new()).Select(o => o.Project));
    }

    [Fact]
    public async Task A_list_with_details_says_of_each_object_what_finding_it_says()
    {
        await using (var store = await _data.OpenAsync())
        {
            var first = await store.SubmitAsync([1], project: "eins");
            await store.SubmitAsync([2, 3], project: "zwei");
            await store.AttachAsync(first.Receipt.ObjectId, "late.log", [4, 5, 6]);
        }

        using var reader = StoreReader.Open(_data.Path);
        var listed = reader.ListDetails(new()).ToList();
        Assert.Equal(["zwei", "eins"], listed.Select(o => o.Project));
        Assert.Equal(2, listed[1].Payloads.Count);
        foreach (var details in listed)
        {
            var found = reader.Find(ObjectReference.ForId(details.Id))!;
            Assert.Equal(found.Attributes, details.Attributes);
            Assert.Equal(found.Notes, details.Notes);
            Assert.Equal(found.Payloads, details.Payloads);
            Assert.Equal(found, details with { Attributes = found.Attributes, Notes = found.Notes, Payloads = found.Payloads });
        }

        Assert.Equal("eins", Assert.Single(reader.ListDetails(new() { Project = "eins", Limit = 5 })).Project);
    }

    [Theory]
    [InlineData("UPDATE objects SET payloads=x'ff' WHERE id=?")]
    [InlineData("UPDATE attachments SET payloads=x'ff' WHERE object_id=?")]
    public async Task A_damaged_row_is_marked_read_from_its_record_and_no_end_of_a_list(string damage)
    {
        var sent = new List<Sent>();
        await using (var store = await _data.OpenAsync())
        {
            for (var i = 0; i < 9; i++)
            {
                sent.Add(await store.SubmitAsync(StoreActions.Bytes(1000 + i)));
                await store.AttachAsync(sent[i].Receipt.ObjectId, "late", [(byte)i]);
            }
        }

        using (var connection = Catalog.CatalogConnection.OpenForWriting(_data.Path + "/catalog.db", create: false))
        {
            connection.Prepare(damage).Bind(1, sent[4].Receipt.ObjectId).Run();
        }

        using var reader = StoreReader.Open(_data.Path);
        Assert.Equal(sent.Select(s => s.Receipt.ObjectId), reader.All().Select(o => o.Id));
        foreach (var details in reader.ListDetails(new()).Reverse().Zip(sent))
        {
            Assert.Equal(details.Second == sent[4], details.First.Damage is not null);
            Assert.Equal([details.Second.Report.Length, 1], details.First.Payloads.Select(p => p.Size));
            Assert.Equal(details.Second.Report, reader.ReadAll(details.First.Payloads[0]));
        }
    }

    [Fact]
    public async Task A_row_with_an_impossible_time_is_no_end_of_a_list()
    {
        await using (var store = await _data.OpenAsync())
        {
            await store.SubmitAsync([1]);
            await store.SubmitAsync([2]);
        }

        using (var connection = Catalog.CatalogConnection.OpenForWriting(_data.Path + "/catalog.db", create: false))
        {
            connection.Execute($"UPDATE objects SET committed_at={long.MaxValue / 16} WHERE id=1; UPDATE objects SET received_at={long.MinValue / 16} WHERE id=2");
        }

        using var reader = StoreReader.Open(_data.Path);
        Assert.Equal(2, reader.All().Count());
    }

    [Fact]
    public async Task A_list_is_newest_first_and_holds_what_the_query_asks_for()
    {
        var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        await using var store = await _data.OpenAsync();
        for (var i = 0; i < 1200; i += 40)
        {
            await Task.WhenAll(Enumerable.Range(i, 40).Select(async n =>
            {
                using var submission = store.Begin();
                submission.Project = store.Project(n % 5 == 0 ? "other" : "acme", n % 2 == 0 ? "even" : "odd");
                submission.ReceivedAt = start.AddMinutes(n);
                submission.AddAttribute(AttributeSource.Query, "n"u8, System.Text.Encoding.ASCII.GetBytes(n.ToString(CultureInfo.InvariantCulture)));
                await store.CommitAsync(submission);
            }));
        }

        using var reader = StoreReader.Open(_data.Path);
        int[] Minutes(ObjectQuery query) => [.. reader.List(query).Select(o => (int)(o.ReceivedAt - start).TotalMinutes)];
        var all = Enumerable.Range(0, 1200).Reverse().ToArray();
        Assert.Equal(all, Minutes(new()));
        Assert.Equal(all.Take(7), Minutes(new() { Limit = 7 }));
        Assert.Empty(Minutes(new() { Limit = 0 }));
        Assert.Equal(all.Where(n => n % 2 == 0), Minutes(new() { Project = "even" }));
        Assert.Equal(all.Where(n => n % 5 == 0 && n % 2 == 1), Minutes(new() { Project = "odd", Universe = "other" }));
        Assert.Equal(all.Where(n => n >= 1000), Minutes(new() { Since = start.AddMinutes(1000) }));
        Assert.Equal([77], Minutes(new() { Attributes = [KeyValuePair.Create("n", "77")] }));
        Assert.Empty(Minutes(new() { Project = "even", Attributes = [KeyValuePair.Create("n", "77")] }));
    }

    [Fact]
    public async Task A_search_by_attributes_finds_what_reading_everything_finds()
    {
        var random = new Random(7);
        await using var store = await _data.OpenAsync();
        await Parallel.ForAsync(0, 300, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, _) =>
        {
            using var submission = store.Begin();
            submission.Project = store.Project("acme", "game");
            lock (random)
            {
                for (var a = random.Next(60); a > 0; a--)
                {
                    submission.AddAttribute(
                        (AttributeSource)random.Next(3),
                        System.Text.Encoding.UTF8.GetBytes($"name{random.Next(20)}"),
                        System.Text.Encoding.UTF8.GetBytes($"wert-ü{random.Next(6)}"));
                }
            }

            await store.CommitAsync(submission);
        });

        using var reader = StoreReader.Open(_data.Path);
        var everything = reader.All().ToList();
        var hits = 0;
        for (var name = 0; name < 21; name++)
        {
            for (var value = 0; value < 7; value++)
            {
                var wanted = KeyValuePair.Create($"name{name}", $"wert-ü{value}");
                var second = KeyValuePair.Create($"name{(name + 1) % 20}", "wert-ü1");
                var found = reader.List(new() { Attributes = [wanted] }).Select(o => o.Id).Order().ToList();
                Assert.Equal(everything.Where(o => o.EffectiveAttributes.Contains(wanted)).Select(o => o.Id).Order(), found);
                var both = reader.List(new() { Attributes = [wanted, second] }).Select(o => o.Id).Order();
                Assert.Equal(everything.Where(o => o.EffectiveAttributes.Contains(wanted) && o.EffectiveAttributes.Contains(second)).Select(o => o.Id).Order(), both);
                hits += found.Count;
            }
        }

        Assert.True(hits > 1000, $"{hits} hits");
    }

    [Fact]
    public void A_signature_never_denies_a_pair_it_holds_and_rarely_admits_one_it_does_not()
    {
        var signature = new byte[Packs.AttributeSignature.SizeFor(45)];
        ulong Hash(int i) => Packs.AttributeSignature.HashOf(BitConverter.GetBytes(i), BitConverter.GetBytes(i * 7));
        for (var i = 0; i < 45; i++)
        {
            Packs.AttributeSignature.Add(signature, Hash(i));
        }

        Assert.All(Enumerable.Range(0, 45), i => Assert.True(Packs.AttributeSignature.MayContain(signature, Hash(i))));
        Assert.InRange(Enumerable.Range(1000, 10_000).Count(i => Packs.AttributeSignature.MayContain(signature, Hash(i))), 0, 300);
        Assert.False(Packs.AttributeSignature.MayContain([], Hash(1)));
    }

    [Fact]
    public async Task Everything_reads_while_a_writer_writes()
    {
        await using var store = await _data.OpenAsync(Scenario.Options(_data.Path));
        var first = await store.SubmitAsync(StoreActions.Bytes(30_000));
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(async () =>
        {
            var sent = new List<Sent>();
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                sent.Add(await store.SubmitAsync(StoreActions.Bytes(i % 7 == 0 ? 20_000 : 2_000, i)));
                await store.AttachAsync(first.Receipt.ObjectId, "late", [1]);
            }

            return sent;
        });
        for (var round = 0; round < 10; round++)
        {
            using var reader = StoreReader.Open(_data.Path);
            reader.AssertHolds(first);
            foreach (var o in reader.List(new() { Limit = 20 }))
            {
                var details = reader.Find(ObjectReference.ForId(o.Id))!;
                Assert.Null(details.Damage);
                Assert.All(details.Payloads, p => Assert.Equal(p.Checksum, StoreActions.Checksum(reader.ReadAll(p))));
            }

            Assert.NotEmpty(reader.All());
            var report = Verification.Run(_data.Path);
            Assert.True(report.IsClean, string.Join("; ", report.Damaged));
        }

        await stop.CancelAsync();
        Scenario.AssertKept(_data.Path, [first, .. await writer], []);
    }

    [Fact]
    public void A_directory_without_a_store_says_so()
    {
        Directory.CreateDirectory(_data.Path);
        Assert.Throws<StoreUnusableException>(() => StoreReader.Open(_data.Path));
        Assert.Throws<StoreUnusableException>(() => Verification.Run(_data.Path));
        Assert.Throws<StoreUnusableException>(() => Salvage.Run(_data.Path));
        Assert.Throws<StoreUnusableException>(() => Backup.Run(_data.Path, _data.Path + "/b"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_data.Path));
    }
}
