using System.Buffers.Binary;
using FastListener.Storage.Packs;

namespace FastListener.Storage.Tests;

/// <summary>Salvage where the bytes have good checksums and are wrong all the same, and salvage of what was salvaged before.</summary>
public sealed class SalvageTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    private string Live => _data.Path + "/live";

    private string Copy => _data.Path + "/copy";

    private string CopiedPack => Copy + "/packs/0000000001.pack";

    /// <summary>Two submissions in a pack that was not ended: the second one's commit cannot be proved from the pack alone.</summary>
    private async Task<(Sent Proved, Sent Doubted)> CopyWithoutEndAsync()
    {
        await using var store = await _data.OpenAsync(Scenario.Options(Live));
        var proved = await store.SubmitAsync(StoreActions.Bytes(2000));
        var doubted = await store.SubmitAsync(StoreActions.Bytes(2001));
        Directory.CreateDirectory(Copy + "/packs");
        File.Copy(Directory.GetFiles(Live + "/packs").Single(), CopiedPack);
        return (proved, doubted);
    }

    [Fact]
    public async Task Salvage_needs_no_files_folder()
    {
        var (proved, _) = await CopyWithoutEndAsync();
        Assert.False(Directory.Exists(Copy + "/files"));
        Assert.Equal(2, Salvage.Run(Copy).Objects);
        using var reader = StoreReader.Open(Copy);
        reader.AssertHolds(proved);
    }

    [Fact]
    public async Task What_is_not_confirmed_does_not_become_so_by_a_second_salvage()
    {
        var (proved, doubted) = await CopyWithoutEndAsync();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal((2, 1), Salvage.Run(Copy) is var report ? (report.Objects, report.Unconfirmed) : default);
            using var reader = StoreReader.Open(Copy);
            Assert.False(reader.Find(proved.Reference)!.Unconfirmed);
            Assert.True(reader.Find(doubted.Reference)!.Unconfirmed);
        }
    }

    [Fact]
    public async Task What_was_torn_stays_away_in_a_second_salvage()
    {
        await CopyWithoutEndAsync();
        using (var pack = File.OpenWrite(CopiedPack))
        {
            pack.SetLength(pack.Length - 3000); // into the second report's bytes: its record reads well
        }

        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(1, Salvage.Run(Copy).Objects);
            Assert.True(Verification.Run(Copy).IsClean);
        }
    }

    /// <summary>Place in the record, what is written there, in bytes.</summary>
    public static TheoryData<string, int, long, int> WrongNumbers => new()
    {
        { "an object id of 0", 24, 0, 8 },
        { "a negative object id", 24, -5, 8 },
        { "an object id no counter reaches", 24, long.MaxValue, 8 },
        { "a time of arrival before all time", 44, -1, 8 },
        { "a time of arrival after all time", 44, long.MaxValue, 8 },
        { "a time of commit after all time", 52, long.MaxValue - 1, 8 },
        { "a first index that overflows", 60, uint.MaxValue, 4 },
        { "an address of five bytes", 65, 5, 1 },
    };

    [Theory]
    [MemberData(nameof(WrongNumbers))]
    public async Task A_record_with_a_number_that_no_store_writes_is_skipped_and_named(string what, int place, long number, int bytes)
    {
        Assert.NotEmpty(what);
        await CopyWithoutEndAsync();
        Span<byte> wrong = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(wrong, number);
        RewriteFirstRecord(place, wrong[..bytes]);
        AssertOnlySecondObjectIsLeft();
    }

    [Theory]
    [InlineData(0xFFL, 1)] // cut short: the size's next byte is the checksum's first
    [InlineData(0x00CEL, 2)] // 78 instead of 2000, then nothing
    public async Task A_record_whose_payloads_do_not_fill_it_is_skipped_and_named(long size, int bytes)
    {
        var (proved, _) = await CopyWithoutEndAsync();
        var pack = await File.ReadAllBytesAsync(CopiedPack);
        var checksum = Convert.FromHexString(StoreActions.Checksum(proved.Report));
        var sizeAt = pack.AsSpan().IndexOf(checksum) - 2; // 2,000 is a varint of two bytes
        Span<byte> wrong = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(wrong, size);
        RewriteFirstRecord(sizeAt - FirstRecord, wrong[..bytes]);
        AssertOnlySecondObjectIsLeft();
    }

    [Theory]
    [InlineData("0123456789abcdef01234567-0000002a", true)]
    [InlineData("0123456789abcdef01234567-000000\0\0", false)]
    [InlineData("0123456789abcdef01234567-0000002A", false)]
    [InlineData("0123456789abcdef01234567-00000 2a", false)]
    [InlineData("../456789abcdef0123456789-000002a", false)]
    [InlineData("0123456789abcdef01234567-2a", false)]
    public void Only_the_names_the_store_gives_are_names_of_payload_files(string name, bool valid) =>
        Assert.Equal(valid, StoreLayout.TryParseFileName(name, out _));

    private const int FirstRecord = PackLayout.FileHeaderSize + PackLayout.BatchHeaderSize;

    /// <summary>Changes the first record and makes its checksum good again, as no disk does.</summary>
    private void RewriteFirstRecord(int place, ReadOnlySpan<byte> bytes)
    {
        var pack = File.ReadAllBytes(CopiedPack);
        var record = pack.AsSpan(FirstRecord);
        Assert.True(StoredRecord.TryReadLengths(record, out var metadata, out _));
        bytes.CopyTo(record[place..]);
        PackLayout.Seal(record[..(PackLayout.RecordHeaderSize + metadata)]);
        File.WriteAllBytes(CopiedPack, pack);
    }

    private void AssertOnlySecondObjectIsLeft()
    {
        var report = Salvage.Run(Copy);
        Assert.Equal(1, report.Objects);
        Assert.Contains(report.Skipped, line => line.StartsWith($"packs/0000000001.pack+{FirstRecord}: ", StringComparison.Ordinal));
        Assert.True(Verification.Run(Copy).IsClean);
    }
}
