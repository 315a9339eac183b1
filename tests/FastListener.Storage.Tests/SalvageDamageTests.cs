using System.Buffers.Binary;
using FastListener.Storage.Packs;

namespace FastListener.Storage.Tests;

/// <summary>Salvage of packs with damaged places: everything beside them comes back, and nothing that only looks like a record does.</summary>
public sealed class SalvageDamageTests : IDisposable
{
    private const int BatchRecords = 13;
    private const int IdAt = 24;
    private const long FarId = 1L << 40;
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    private string Pack => _data.Path + "/packs/0000000001.pack";

    /// <summary>A pack of two batches: one record, then many. Gives back the many, in the order of the pack, and where their records lie.</summary>
    private async Task<List<(Sent Sent, Catalog.RecordPlace Place)>> FillAsync(Func<int, byte[]> report)
    {
        using var gate = new ManualResetEventSlim();
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var device = new TestDevice();
        List<Sent> sent;
        await using (var store = await _data.OpenAsync(device: device))
        {
            device.Before = (call, path) =>
            {
                if (call == "sync" && path == Pack)
                {
                    entered.TrySetResult();
                    Assert.True(gate.Wait(TimeSpan.FromSeconds(60)));
                }
            };
            var first = store.SubmitAsync(StoreActions.Bytes(10));
            await entered.Task;
            var rest = Enumerable.Range(0, BatchRecords).Select(i => store.SubmitAsync(report(i))).ToList();
            gate.Set();
            await first;
            sent = [.. (await Task.WhenAll(rest)).OrderBy(item => item.Receipt.ObjectId)];
        }

        using var reader = StoreReader.Open(_data.Path);
        var placed = sent.ConvertAll(item => (item, reader.Catalog.ById(item.Receipt.ObjectId)!.Numbers.Place));
        Assert.Equal(PackLayout.BatchHeaderSize, placed[0].Place.Offset % PackLayout.Alignment);
        Assert.All(placed.Zip(placed.Skip(1)), pair => Assert.Equal(pair.First.Place.Offset + pair.First.Place.Length, pair.Second.Place.Offset)); // one batch
        return placed;
    }

    /// <summary>A whole record as another store wrote it, under another id: its checksums fit.</summary>
    private static async Task<byte[]> ForgeAsync(long id)
    {
        using var other = new DataDirectory();
        await using (var store = await other.OpenAsync())
        {
            await store.SubmitAsync(StoreActions.Bytes(50), project: "another");
        }

        using var reader = StoreReader.Open(other.Path);
        var place = reader.Catalog.ById(1)!.Numbers.Place;
        var record = (await File.ReadAllBytesAsync(other.Path + "/packs/0000000001.pack")).AsSpan((int)place.Offset, (int)place.Length);
        BinaryPrimitives.WriteInt64LittleEndian(record[IdAt..], id);
        Assert.True(StoredRecord.TryReadLengths(record, out var metadata, out _));
        PackLayout.Seal(record[..(PackLayout.RecordHeaderSize + metadata)]);
        return record.ToArray();
    }

    private static byte[] Report(int i) => StoreActions.Bytes(2000 + i, i);

    [Theory]
    [InlineData(0)] // the mark
    [InlineData(8)] // the checksum
    [InlineData(20)] // the length of the metadata
    [InlineData(23)]
    [InlineData(32)] // the length of the payloads
    [InlineData(35)]
    [InlineData(45)]
    public async Task A_damaged_record_costs_no_other_one_of_its_batch(int place)
    {
        var batch = await FillAsync(Report);
        UpkeepTests.Flip(Pack, batch[1].Place.Offset + place);
        UpkeepTests.Flip(Pack, batch[5].Place.Offset + place);
        File.Delete(_data.Path + "/catalog.db");
        var report = Salvage.Run(_data.Path);
        Assert.Equal((1 + BatchRecords - 2, 0), (report.Objects, report.Unconfirmed));
        Assert.Equal(
            [batch[1].Place.Offset, batch[5].Place.Offset], report.Skipped.Select(line => long.Parse(line.Split('+', ':')[1], System.Globalization.CultureInfo.InvariantCulture)));
        using var salvaged = StoreReader.Open(_data.Path);
        Assert.All(batch.Where((_, i) => i is not (1 or 5)), item => salvaged.AssertHolds(item.Sent));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(32)]
    public async Task A_record_within_a_payload_is_not_believed_where_the_record_around_it_is_damaged(int place)
    {
        var forged = await ForgeAsync(500);
        var batch = await FillAsync(i => i == 4 ? [.. Report(i), .. forged] : Report(i));
        var around = batch.FindIndex(item => item.Sent.Report.Length > 2000 + BatchRecords);
        UpkeepTests.Flip(Pack, batch[around].Place.Offset + place);
        UpkeepTests.Flip(Pack, batch[0].Place.Offset - PackLayout.BatchHeaderSize + 20); // the batch's header, too
        File.Delete(_data.Path + "/catalog.db");
        Assert.Equal(1 + BatchRecords - 1, Salvage.Run(_data.Path).Objects);
        using var salvaged = StoreReader.Open(_data.Path);
        Assert.Null(salvaged.Catalog.ById(500));
        Assert.All(batch.Where((_, i) => i != around), item => salvaged.AssertHolds(item.Sent));
    }

    [Fact]
    public async Task Where_nothing_tells_when_a_batch_was_committed_what_is_found_in_it_is_marked()
    {
        var forged = await ForgeAsync(FarId);
        var batch = await FillAsync(i => [.. Report(i), .. forged]);
        using (var pack = File.OpenWrite(Pack))
        {
            pack.Position = batch[0].Place.Offset - PackLayout.BatchHeaderSize;
            pack.Write(new byte[512]);
        }

        File.Delete(_data.Path + "/catalog.db");
        for (var i = 0; i < 2; i++)
        {
            var report = Salvage.Run(_data.Path);
            Assert.Equal((1 + BatchRecords - 1, BatchRecords - 1), (report.Objects, report.Unconfirmed));
            using var salvaged = StoreReader.Open(_data.Path);
            Assert.All(batch.Skip(1), item => salvaged.AssertHolds(item.Sent));
            Assert.All(batch.Skip(1), item => Assert.True(salvaged.Find(item.Sent.Reference)!.Unconfirmed));
            Assert.True(Verification.Run(_data.Path).IsClean);
        }

        await using var store = await _data.OpenAsync();
        Assert.InRange((await store.SubmitAsync([1])).Receipt.ObjectId, 1, FarId - 1); // an id that somebody made up is not where counting goes on
    }

    [Theory]
    [InlineData("/proc/self/mem")] // opens, and gives an I/O error
    [InlineData("/nonexistent/pack")]
    public async Task A_pack_that_cannot_be_read_is_named_and_the_others_come_back(string target)
    {
        var batch = await FillAsync(Report);
        File.CreateSymbolicLink(_data.Path + "/packs/0000000009.pack", target);
        File.Delete(_data.Path + "/catalog.db");
        var report = Salvage.Run(_data.Path);
        Assert.Equal(1 + BatchRecords, report.Objects);
        Assert.Contains(report.Skipped, line => line.StartsWith("packs/0000000009.pack", StringComparison.Ordinal));
        using var salvaged = StoreReader.Open(_data.Path);
        Assert.All(batch, item => salvaged.AssertHolds(item.Sent));
        Assert.Equal(1, salvaged.Catalog.Connection.Scalar("SELECT count(*) FROM packs WHERE id=9")); // a start leaves it where it is
    }

    [Fact]
    public async Task Salvage_reads_around_a_place_that_the_disk_does_not_give_and_a_start_does_not_take_it_for_empty()
    {
        var batch = await FillAsync(Report);
        var (dead, start) = (batch[6].Place, batch[0].Place.Offset - PackLayout.BatchHeaderSize);
        var skipped = new List<string>();
        PackScanner Scanner(List<string>? lines) => new(
            new(_data.Path), 1, knownEnd: 0, lines, (path, tell) => new DeadFile(path, tell, dead.Offset, dead.Offset + dead.Length));
        using (var scanner = Scanner(skipped))
        {
            var page = dead.Offset & ~(PackLayout.Alignment - 1L);
            var found = scanner.Batches().SelectMany(item => item.Records).Select(record => record.ObjectId).ToList();
            var lost = batch.Where(item => item.Place.Offset + 1000 > page && item.Place.Offset < PackLayout.Align(dead.Offset + dead.Length)).Select(item => item.Sent.Receipt.ObjectId);
            Assert.Empty(batch.Select(item => item.Sent.Receipt.ObjectId).Except(lost).Except(found));
            Assert.Contains(skipped, line => line.EndsWith(DeadFile.Message, StringComparison.Ordinal));
        }

        using var strict = Scanner(lines: null);
        Assert.Throws<IOException>(() => strict.IsWhole(start, new FileInfo(Pack).Length - PackLayout.Alignment));
        using var whole = new PackScanner(new(_data.Path), 1, knownEnd: 0, skipped: null);
        Assert.True(whole.IsWhole(start, new FileInfo(Pack).Length - PackLayout.Alignment));
    }

    [Fact]
    public void A_large_dead_region_costs_few_reads()
    {
        Directory.CreateDirectory(_data.Path);
        var path = _data.Path + "/file";
        const long length = 200 << 20;
        using (var file = File.Create(path))
        {
            file.SetLength(length);
        }

        var (from, to) = (3 * PackLayout.Alignment, 777 * 41 * PackLayout.Alignment);
        using var dead = new DeadFile(path, (_, _) => { }, from, to);
        Assert.Equal(to, dead.AfterFailure(from + 100, length));
        Assert.InRange(dead.Failures, 1, 200);
        Assert.Equal(to - 4096, dead.AfterFailure(from, to - 4096));
    }

    [Fact]
    public async Task The_old_catalog_is_never_left_where_it_was_without_its_log()
    {
        await FillAsync(Report);
        var catalog = _data.Path + "/catalog.db";
        var renames = 0;
        var device = new TestDevice
        {
            Before = (call, _) =>
            {
                if (call == "mkdir")
                {
                    File.WriteAllBytes(catalog + "-wal", [1]); // SQLite removes the log of a sound catalog when the last one closes it
                }
                else if (call == "rename" && ++renames == 2)
                {
                    throw new IOException("The power went.");
                }
            },
        };
        Assert.Throws<IOException>(() => new SalvageRun(new(_data.Path), device, null, default).Run());
        Assert.False(File.Exists(catalog));
        Assert.True(File.Exists(catalog + "-wal"));
        Assert.Equal(1 + BatchRecords, Salvage.Run(_data.Path).Objects);
        Assert.Single(Directory.GetFiles(_data.Path + "/orphans", "*.db-wal"));
    }

    [Fact]
    public async Task A_new_pack_does_not_get_the_number_of_one_that_was_set_aside()
    {
        await FillAsync(Report);
        await File.WriteAllBytesAsync(_data.Path + "/orphans/0000000042.pack", [1]);
        File.Delete(_data.Path + "/catalog.db");
        Salvage.Run(_data.Path);
        await using (var store = await _data.OpenAsync())
        {
            await store.SubmitAsync([1]);
        }

        Assert.True(File.Exists(_data.Path + "/packs/0000000043.pack"));
    }

    /// <summary>A file of which the pages of a range give an I/O error.</summary>
    private sealed class DeadFile(string path, Action<long, string> tell, long from, long to) : LenientFile(path, tell)
    {
        public const string Message = "The disk does not give it.";
        private readonly long _from = from & ~(PackLayout.Alignment - 1L);
        private readonly long _to = PackLayout.Align(to);

        public int Failures { get; private set; }

        protected override int ReadSome(Span<byte> destination, long offset)
        {
            if (offset >= _from && offset < _to)
            {
                Failures++;
                throw new IOException(Message);
            }

            return base.ReadSome(offset < _from ? destination[..(int)Math.Min(destination.Length, _from - offset)] : destination, offset);
        }
    }
}
