namespace FastListener.Storage.Tests;

/// <summary>Verification of stores of several pages, read by two workers in runs of records.</summary>
public sealed class VerificationTests : IDisposable
{
    private readonly DataDirectory _data = new(Directory.Exists("/dev/shm") ? "/dev/shm" : null); // thousands of commits, none of which has to be durable

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Damage_is_reported_in_the_order_of_the_objects_with_their_late_attachments_after_them()
    {
        const int objects = 2200; // several pages
        var (places, late) = (new List<(long Id, string File, long Offset)>(), default(Catalog.RecordPlace));
        await using (var store = await _data.OpenAsync())
        {
            var sent = await Task.WhenAll(Enumerable.Range(0, objects).Select(i => store.SubmitAsync(StoreActions.Bytes(3000, i))));
            var attached = sent.MinBy(s => s.Receipt.ObjectId)!.Receipt.ObjectId;
            await store.AttachAsync(attached, "late", StoreActions.Bytes(2000));
            using var reader = StoreReader.Open(_data.Path);
            late = Assert.Single(reader.Catalog.LateAttachments(attached)).Place;
            places.AddRange(reader.All().Where((_, i) => i % 100 == 0).Select(o => (o.Id, _data.Path + "/" + o.Payloads[0].Location.Split('+')[0], o.Payloads[0].Offset)));
        }

        foreach (var (_, file, offset) in places)
        {
            UpkeepTests.Flip(file, offset);
        }

        UpkeepTests.Flip(_data.Path + "/packs/" + Packs.PackLayout.FileName(late.Pack), late.Offset + late.Length - 1);
        var report = Verification.Run(_data.Path);
        Assert.Equal((objects, objects + 1, objects * 3000L + 2000), (report.Objects, report.Payloads, report.Bytes));
        Assert.Equal(
            [(places[0].Id, 0), (places[0].Id, 1), .. places.Skip(1).Select(place => (place.Id, 0))], report.Damaged.Select(damage => (damage.ObjectId, damage.PayloadIndex)));
        Assert.All(report.Damaged, damage => Assert.NotEmpty(damage.Rxid));
    }

    [Fact]
    public async Task A_wrong_byte_is_found_in_a_record_that_is_too_large_to_be_read_in_one_run()
    {
        Sent sent;
        await using (var store = await _data.OpenAsync())
        {
            sent = await store.SubmitAsync(StoreActions.Bytes(5000), attachments: [.. Enumerable.Range(0, 40).Select(i => StoreActions.Bytes(60_000, i))]);
        }

        using var reader = StoreReader.Open(_data.Path);
        var place = reader.Catalog.ById(sent.Receipt.ObjectId)!.Numbers.Place;
        Assert.InRange(place.Length, Packs.PackRuns.RunBytes + 1, long.MaxValue);
        var last = reader.Find(sent.Reference)!.Payloads[^1];
        var pack = _data.Path + "/packs/" + Packs.PackLayout.FileName(place.Pack);
        Assert.True(Verification.Run(_data.Path).IsClean);
        foreach (var (offset, payload) in new[] { (place.Offset + 100, -1), (last.Offset + last.Size - 1, last.Index) })
        {
            UpkeepTests.Flip(pack, offset);
            Assert.Equal(payload, Assert.Single(Verification.Run(_data.Path).Damaged).PayloadIndex);
            UpkeepTests.Flip(pack, offset);
        }
    }

    [Fact]
    public async Task A_pack_that_is_gone_or_cut_is_reported_for_every_object_in_it()
    {
        List<Sent> sent = [];
        await using (var store = await _data.OpenAsync())
        {
            for (var i = 0; i < 5; i++)
            {
                sent.Add(await store.SubmitAsync(StoreActions.Bytes(20_000, i)));
            }
        }

        PayloadInfo third;
        using (var reader = StoreReader.Open(_data.Path))
        {
            third = reader.Find(sent[2].Reference)!.Payloads[0];
        }

        var pack = _data.Path + "/" + third.Location.Split('+')[0];
        using (var file = File.OpenWrite(pack))
        {
            file.SetLength(third.Offset + 1000);
        }

        var ids = sent.Select(s => s.Receipt.ObjectId).ToList();
        Assert.Equal([(ids[2], 0), (ids[3], -1), (ids[3], 0), (ids[4], -1), (ids[4], 0)], Verification.Run(_data.Path).Damaged.Select(d => (d.ObjectId, d.PayloadIndex)));
        File.Delete(pack);
        Assert.Equal(ids.SelectMany(id => new[] { (id, -1), (id, 0) }), Verification.Run(_data.Path).Damaged.Select(d => (d.ObjectId, d.PayloadIndex)));
    }

    [Fact]
    public async Task A_batch_that_is_undone_while_it_is_verified_is_no_damage()
    {
        await using var store = await _data.OpenAsync(Scenario.Options(_data.Path));
        await store.SubmitAsync(StoreActions.Bytes(2000));
        var undone = await store.SubmitAsync(StoreActions.Bytes(20_000));
        await store.AttachAsync(undone.Receipt.ObjectId, "late", StoreActions.Bytes(20_001));
        Catalog.RecordPlace place;
        string[] files;
        using (var reader = StoreReader.Open(_data.Path))
        {
            place = reader.Catalog.ById(undone.Receipt.ObjectId)!.Numbers.Place;
            files = [.. reader.Find(undone.Reference)!.Payloads.Select(payload => _data.Path + "/" + payload.Location)];
        }

        // When the first page has been taken: its rows are known, their records are not read yet.
        var undo = new Hook(() =>
        {
            using var catalog = Catalog.CatalogWriter.Open(_data.Path + "/catalog.db", create: false);
            catalog.Undo(place.Pack, place.Offset - Packs.PackLayout.BatchHeaderSize);
            Array.ForEach(files, File.Delete);
        });
        Assert.Empty(Verification.Run(_data.Path, undo).Damaged);
        Assert.True(undo.WasCalled);
    }

    private sealed class Hook(Action action) : IProgress<UpkeepProgress>
    {
        private int _calls;

        public bool WasCalled => _calls > 0;

        public void Report(UpkeepProgress value)
        {
            if (Interlocked.Increment(ref _calls) == 1)
            {
                action();
            }
        }
    }

    [Fact]
    public async Task A_row_that_points_nowhere_is_reported()
    {
        await using var store = await _data.OpenAsync();
        var sent = await store.SubmitAsync(StoreActions.Bytes(2000));
        store.Target.Catalog!.Connection.Execute("UPDATE objects SET offset=-offset");
        Assert.All(Verification.Run(_data.Path).Damaged, damage => Assert.Equal(sent.Receipt.ObjectId, damage.ObjectId));
        Assert.Equal(2, Verification.Run(_data.Path).Damaged.Count);
    }
}
