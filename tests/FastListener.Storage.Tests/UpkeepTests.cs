using System.Text;

namespace FastListener.Storage.Tests;

public sealed class UpkeepTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    private string Live => _data.Path + "/live";

    private sealed class Reports : IProgress<UpkeepProgress>
    {
        public List<UpkeepProgress> All { get; } = [];

        public void Report(UpkeepProgress value) => All.Add(value);
    }

    private async Task<List<Sent>> FillAsync()
    {
        await using var store = await _data.OpenAsync(Scenario.Options(Live));
        var (acked, _, refused) = await Scenario.RunAsync(store);
        Assert.Equal(0, refused);
        return acked;
    }

    private static string Listing(string path)
    {
        using var reader = StoreReader.Open(path);
        var text = new StringBuilder();
        foreach (var o in reader.All())
        {
            text.AppendLine(
                $"{o.Rxid} {o.Universe}/{o.Project} {o.Format} {o.ReceivedAt:O} {o.CommittedAt:O} {o.ClientAddress} {o.PayloadCount} {o.PayloadBytes} {o.Unconfirmed} "
                + $"{string.Join(",", o.Attributes)} {string.Join(",", o.Notes)} {string.Join("\n", o.Payloads)}");
        }

        return text.ToString();
    }

    [Fact]
    public async Task A_flipped_bit_anywhere_in_a_payload_or_its_record_is_found()
    {
        var sent = await FillAsync();
        using var reader = StoreReader.Open(Live);
        var inline = reader.Find(sent[0].Reference)!.Payloads[0];
        var large = reader.Find(sent[1].Reference)!.Payloads[0];
        var record = reader.Catalog.ById(sent[2].Receipt.ObjectId)!.Numbers.Place;
        var late = reader.Catalog.LateAttachments(sent[0].Receipt.ObjectId)[0].Place;
        var pack = Live + "/packs/" + Packs.PackLayout.FileName(inline.Pack);
        var places = new List<(string File, long Offset, long Object, int Payload)>
        {
            (pack, inline.Offset, sent[0].Receipt.ObjectId, 0),
            (pack, inline.Offset + inline.Size - 1, sent[0].Receipt.ObjectId, 0),
            (Live + "/" + large.Location, 0, sent[1].Receipt.ObjectId, 0),
            (Live + "/" + large.Location, large.Size - 1, sent[1].Receipt.ObjectId, 0),
        };
        var recordPack = Live + "/packs/" + Packs.PackLayout.FileName(record.Pack);
        for (var i = 0; i < 120; i += 7)
        {
            places.Add((recordPack, record.Offset + (i is >= 4 and < 8 ? 8 : i), sent[2].Receipt.ObjectId, -1)); // bytes 4 to 7 are not used
        }

        places.Add((Live + "/packs/" + Packs.PackLayout.FileName(late.Pack), late.Offset + 50, sent[0].Receipt.ObjectId, 3));
        Assert.True(Verification.Run(Live).IsClean);
        foreach (var (file, offset, damagedObject, payload) in places)
        {
            Flip(file, offset);
            var report = Verification.Run(Live);
            Assert.Contains(report.Damaged, d => d.ObjectId == damagedObject && d.PayloadIndex == payload);
            Flip(file, offset);
        }

        Assert.True(Verification.Run(Live).IsClean);
    }

    [Fact]
    public async Task A_missing_or_short_payload_file_is_reported_and_the_object_still_listed()
    {
        var sent = await FillAsync();
        using var reader = StoreReader.Open(Live);
        File.Delete(Live + "/" + reader.Find(sent[1].Reference)!.Payloads[0].Location);
        using (var cut = File.OpenWrite(Live + "/" + reader.Find(sent[4].Reference)!.Payloads[0].Location))
        {
            cut.SetLength(5);
        }

        var progress = new Reports();
        var report = Verification.Run(Live, progress);
        Assert.Equal([sent[1].Receipt.ObjectId, sent[4].Receipt.ObjectId], report.Damaged.Select(d => d.ObjectId));
        Assert.Equal(5, report.Objects);
        Assert.NotEmpty(progress.All);
        Assert.Equal(5, reader.List(new()).Count());
    }

    [Fact]
    public async Task A_record_that_cannot_be_read_leaves_the_object_findable_and_says_what_is_wrong()
    {
        var sent = await FillAsync();
        using var reader = StoreReader.Open(Live);
        var place = reader.Catalog.ById(sent[2].Receipt.ObjectId)!.Numbers.Place;
        Flip(Live + "/packs/" + Packs.PackLayout.FileName(place.Pack), place.Offset + 45);
        var found = reader.Find(sent[2].Reference)!;
        Assert.NotNull(found.Damage);
        Assert.Equal(sent[2].Report, reader.ReadAll(found.Payloads[0])); // the catalog knows where the bytes are
    }

    [Fact]
    public async Task A_damaged_page_of_the_catalog_is_reported()
    {
        await FillAsync();
        Assert.True(Verification.Run(Live).IsClean);
        using (var catalog = new FileStream(Live + "/catalog.db", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            for (var page = 2; page < catalog.Length / 4096; page++)
            {
                catalog.Position = page * 4096L;
                catalog.Write(StoreActions.Bytes(64, page));
            }
        }

        Assert.Contains(Verification.Run(Live).Damaged, d => d.Location == "catalog.db");
    }

    [Theory]
    [InlineData("deleted")]
    [InlineData("garbage")]
    [InlineData("cut")]
    public async Task Salvage_rebuilds_the_same_catalog_from_the_packs(string damage)
    {
        await FillAsync();
        var before = Listing(Live);
        var catalog = Live + "/catalog.db";
        switch (damage)
        {
            case "deleted":
                File.Delete(catalog);
                break;
            case "garbage":
                File.WriteAllBytes(catalog, StoreActions.Bytes(20_000));
                break;
            default:
                using (var file = File.OpenWrite(catalog))
                {
                    file.SetLength(9_000);
                }

                break;
        }

        var progress = new Reports();
        var report = Salvage.Run(Live, progress);
        Assert.Equal((5, 5, 0), (report.Objects, report.LateAttachments, report.Unconfirmed));
        Assert.Equal(damage != "deleted", report.OldCatalog is not null);
        Assert.NotEmpty(progress.All);
        Assert.Equal(before, Listing(Live));
        Assert.True(Verification.Run(Live).IsClean);

        await using (var store = await _data.OpenAsync(Scenario.Options(Live)))
        {
            var next = await store.SubmitAsync(StoreActions.Bytes(2000));
            Scenario.AssertKept(Live, [next], []);
            Assert.True(next.Receipt.ObjectId > 4096, "salvage could not know which ids were handed out, so it leaves a gap");
        }
    }

    [Fact]
    public async Task Salvage_marks_what_it_finds_beyond_the_last_commit_it_can_prove()
    {
        string copy = _data.Path + "/copy";
        List<Sent> sent = [];
        long committed;
        await using (var store = await _data.OpenAsync(Scenario.Options(Live)))
        {
            sent.Add(await store.SubmitAsync(StoreActions.Bytes(2000)));
            sent.Add(await store.SubmitAsync(StoreActions.Bytes(2001)));
            committed = StoreActions.CommittedEnd(Live);
            Directory.CreateDirectory(copy + "/packs");
            Directory.CreateDirectory(copy + "/files");
            File.Copy(Directory.GetFiles(Live + "/packs").Single(), copy + "/packs/0000000001.pack"); // no end has been written yet
        }

        var report = Salvage.Run(copy);
        Assert.Equal((2, 1), (report.Objects, report.Unconfirmed));
        using (var reader = StoreReader.Open(copy))
        {
            Assert.False(reader.Find(sent[0].Reference)!.Unconfirmed);
            Assert.True(reader.Find(sent[1].Reference)!.Unconfirmed);
            Assert.All(sent, reader.AssertHolds);
        }

        // The same, torn: the half record does not come back.
        File.Delete(copy + "/catalog.db");
        using (var pack = File.OpenWrite(copy + "/packs/0000000001.pack"))
        {
            pack.SetLength(committed - 3000);
        }

        report = Salvage.Run(copy);
        Assert.Equal((1, 0), (report.Objects, report.Unconfirmed));
        Assert.NotEmpty(report.Skipped);
    }

    [Fact]
    public async Task Salvage_reads_around_damaged_places()
    {
        var sent = await FillAsync();
        using (var reader = StoreReader.Open(Live))
        {
            var place = reader.Catalog.ById(sent[0].Receipt.ObjectId)!.Numbers.Place;
            Flip(Live + "/packs/" + Packs.PackLayout.FileName(place.Pack), 4096 + 20); // the first batch's header
            Flip(Live + "/packs/" + Packs.PackLayout.FileName(place.Pack), 10); // the file's header
            var lost = reader.Catalog.ById(sent[2].Receipt.ObjectId)!.Numbers.Place;
            Flip(Live + "/packs/" + Packs.PackLayout.FileName(lost.Pack), lost.Offset + 45); // one record
        }

        File.Delete(Live + "/catalog.db");
        var report = Salvage.Run(Live);
        Assert.Equal(4, report.Objects);
        Assert.True((report.Skipped.Count, report.Notes.Count) == (2, 1), string.Join("\n", report.Skipped.Concat(report.Notes))); // nothing was lost with the file's header
        using var salvaged = StoreReader.Open(Live);
        Assert.All(sent.Where(s => s != sent[2]), salvaged.AssertHolds);
    }

    [Fact]
    public async Task Salvage_is_refused_while_a_server_runs()
    {
        await using var store = await _data.OpenAsync(Scenario.Options(Live));
        Assert.Throws<StoreBusyException>(() => Salvage.Run(Live));
    }

    [Fact]
    public async Task A_backup_taken_while_a_writer_writes_verifies_and_serves()
    {
        var target = _data.Path + "/backup";
        await using (var store = await _data.OpenAsync(Scenario.Options(Live)))
        {
            var acked = (await Scenario.RunAsync(store)).Acked;
            using var stop = new CancellationTokenSource();
            var writer = Task.Run(async () =>
            {
                for (var i = 0; !stop.IsCancellationRequested; i++)
                {
                    await store.SubmitAsync(StoreActions.Bytes(i % 5 == 0 ? 20_000 : 3_000, i));
                }
            });
            var report = Backup.Run(Live, target);
            await stop.CancelAsync();
            await writer;
            Assert.True(report.Objects >= 5);
            Scenario.AssertKept(target, acked, []);
            using var reader = StoreReader.Open(target);
            Assert.Equal(report.Objects, reader.List(new()).Count());
        }

        await using var restored = await _data.OpenAsync(Scenario.Options(target));
        Scenario.AssertKept(target, [await restored.SubmitAsync(StoreActions.Bytes(2000))], []);
    }

    [Fact]
    public async Task A_backup_of_a_damaged_store_holds_everything_that_is_not_damaged_and_names_the_rest()
    {
        var sent = await FillAsync();
        string gone, cut, pack;
        using (var reader = StoreReader.Open(Live))
        {
            gone = reader.Find(sent[1].Reference)!.Payloads[0].Location;
            cut = reader.Find(sent[4].Reference)!.Payloads[0].Location;
            pack = reader.Find(sent[2].Reference)!.Payloads[0].Location.Split('+')[0];
        }

        File.Delete(Live + "/" + gone);
        foreach (var file in (string[])[cut, pack])
        {
            using var stream = File.OpenWrite(Live + "/" + file);
            stream.SetLength(5000);
        }

        var target = _data.Path + "/backup";
        var report = Backup.Run(Live, target);
        Assert.False(report.IsComplete);
        Assert.Equal(5, report.Objects);
        Assert.Equal(new[] { gone, cut, pack }.Order(), report.Missing.Select(line => line.Split(' ', ':')[0]).Order());
        var damaged = Verification.Run(Live).Damaged.Select(d => (d.ObjectId, d.PayloadIndex));
        Assert.NotEmpty(damaged);
        Assert.Equal(damaged, Verification.Run(target).Damaged.Select(d => (d.ObjectId, d.PayloadIndex)));
        await using var restored = await _data.OpenAsync(Scenario.Options(target));
        await restored.SubmitAsync(StoreActions.Bytes(2000));
    }

    [Fact]
    public async Task A_backup_does_not_write_into_a_directory_that_holds_something()
    {
        await FillAsync();
        Assert.Throws<IOException>(() => Backup.Run(Live, Live));
    }

    internal static void Flip(string file, long offset)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        stream.Position = offset;
        var value = stream.ReadByte();
        stream.Position = offset;
        stream.WriteByte((byte)(value ^ 0x10));
    }
}
