using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;

namespace FastListener.Storage.Packs;

/// <summary>
/// The fixed parts of a pack file. A pack is a 4 KiB file header and then batches, each aligned to 4 KiB: a batch header, records one after the
/// other, zeros up to the next 4 KiB. Integers are little-endian; checksums are XXH3-64. README.md beside the project shows it whole.
/// </summary>
internal static class PackLayout
{
    public const int Alignment = 4096;
    public const int FileHeaderSize = Alignment;
    public const int BatchHeaderSize = 64;
    public const int RecordHeaderSize = 40;
    public const byte FileVersion = 1;
    public const byte OldestRecordVersion = 1;
    public const byte RecordVersion = 2;
    public const int MaxMetadata = 64 * 1024 * 1024;
    public const long MaxObjectId = 1L << 48; // ids are counted up from 1: ten thousand a second for nine hundred years
    public const int MaxPayloadIndex = 1 << 30;

    public const uint BatchMagic = 0x5442_4C46; // "FLBT"
    public const uint RecordMagic = 0x4352_4C46; // "FLRC"
    private const ulong FileMagic = 0x314B_4341_504C_4647; // "GFLPACK1"

    public const byte ObjectRecord = 1;
    public const byte LateAttachmentRecord = 2;

    private const int CheckedFrom = 16; // headers: magic, a word, the checksum, then what it covers

    public static long Align(long length) => (length + Alignment - 1) & ~(Alignment - 1L);

    public static string FileName(long pack) => string.Create(CultureInfo.InvariantCulture, $"{pack:D10}.pack");

    /// <summary>The pack id in a file name; false for any other file.</summary>
    public static bool TryParseFileName(ReadOnlySpan<char> name, out long pack)
    {
        pack = 0;
        return name.EndsWith(".pack", StringComparison.Ordinal)
            && name.Length == 15
            && long.TryParse(name[..10], NumberStyles.None, CultureInfo.InvariantCulture, out pack);
    }

    public static void WriteFileHeader(Span<byte> header, long pack, uint instance, long createdAt)
    {
        header = header[..FileHeaderSize];
        header.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(header, FileMagic);
        header[CheckedFrom] = FileVersion;
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], pack);
        BinaryPrimitives.WriteUInt32LittleEndian(header[32..], instance);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], createdAt);
        Seal(header);
    }

    public static bool TryReadFileHeader(ReadOnlySpan<byte> header, out long pack, out uint instance)
    {
        pack = 0;
        instance = 0;
        if (header.Length < FileHeaderSize
            || BinaryPrimitives.ReadUInt64LittleEndian(header) != FileMagic
            || !IsSealed(header[..FileHeaderSize])
            || header[CheckedFrom] != FileVersion)
        {
            return false;
        }

        pack = BinaryPrimitives.ReadInt64LittleEndian(header[24..]);
        instance = BinaryPrimitives.ReadUInt32LittleEndian(header[32..]);
        return true;
    }

    /// <summary>A batch header. A batch of no records ends a pack: what comes before it is known to be committed.</summary>
    public static void WriteBatchHeader(Span<byte> header, in BatchHeader batch)
    {
        header = header[..BatchHeaderSize];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, BatchMagic);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], batch.Pack);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], batch.Offset);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], batch.Length);
        BinaryPrimitives.WriteInt32LittleEndian(header[40..], batch.Records);
        BinaryPrimitives.WriteInt64LittleEndian(header[48..], batch.WrittenAt);
        Seal(header);
    }

    public static bool TryReadBatchHeader(ReadOnlySpan<byte> header, out BatchHeader batch)
    {
        batch = default;
        if (header.Length < BatchHeaderSize || BinaryPrimitives.ReadUInt32LittleEndian(header) != BatchMagic || !IsSealed(header[..BatchHeaderSize]))
        {
            return false;
        }

        batch = new(
            BinaryPrimitives.ReadInt64LittleEndian(header[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[32..]),
            BinaryPrimitives.ReadInt32LittleEndian(header[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(header[48..]));
        return true;
    }

    /// <summary>Writes the checksum of a header and what follows it in the span.</summary>
    public static void Seal(Span<byte> bytes) =>
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], XxHash3.HashToUInt64(bytes[CheckedFrom..]));

    public static bool IsSealed(ReadOnlySpan<byte> bytes) =>
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) == XxHash3.HashToUInt64(bytes[CheckedFrom..]);
}

/// <summary>The header of one batch in a pack.</summary>
/// <param name="Pack">The pack it was written to.</param>
/// <param name="Offset">Where it begins in that pack.</param>
/// <param name="Length">Its length, padding included.</param>
/// <param name="Records">Records in it; 0 ends the pack.</param>
/// <param name="WrittenAt">Unix time in microseconds.</param>
internal readonly record struct BatchHeader(long Pack, long Offset, long Length, int Records, long WrittenAt);
