using System.Buffers.Binary;
using System.IO.Hashing;
using FastListener.Fuzz.Running;
using FastListener.Storage.Packs;

namespace FastListener.Fuzz.Packs;

/// <summary>
/// A pack without its padding, and with its checksums made good where the input says so: a mutation then reaches what the checksums guard.
/// A sketch is a flag byte for the file and then batches: a flag byte, a length (2 bytes), and so many bytes of records, or of a batch
/// header and records.
/// </summary>
internal static class PackSketch
{
    private const int MaxBatches = 12;
    private const byte GoodFileHeader = 1;
    private const byte Torn = 2;
    private const byte Ended = 4;
    private const byte GoodBatchHeader = 1;
    private const byte CountFromInput = 2;
    private const byte SealHeader = 4;
    private const byte SealRecords = 8;

    /// <summary>The pack a sketch stands for.</summary>
    public static byte[] Expand(ReadOnlySpan<byte> sketch, long pack)
    {
        var input = new FuzzInput(sketch);
        var flags = input.Byte();
        var file = new List<byte>(32 * 1024);
        var header = new byte[PackLayout.FileHeaderSize];
        if ((flags & GoodFileHeader) != 0)
        {
            PackLayout.WriteFileHeader(header, pack, 7, 1_700_000_000_000_000);
        }
        else
        {
            input.Take(48).CopyTo(header);
        }

        file.AddRange(header);
        var unpadded = file.Count;
        for (var i = 0; i < MaxBatches && !input.Rest.IsEmpty; i++)
        {
            AddBatch(ref input, file, pack);
            unpadded = file.Count;
            Pad(file);
        }

        if ((flags & Torn) != 0)
        {
            file.RemoveRange(unpadded, file.Count - unpadded);
        }

        if ((flags & Ended) != 0)
        {
            Pad(file);
            var end = new byte[PackLayout.Alignment];
            PackLayout.WriteBatchHeader(end, new(pack, file.Count, PackLayout.Alignment, 0, 1_700_000_000_000_000));
            file.AddRange(end);
        }

        return [.. file];
    }

    /// <summary>The sketch of a sound pack.</summary>
    public static byte[] Of(ReadOnlySpan<byte> pack)
    {
        var sketch = new List<byte> { GoodFileHeader };
        for (var at = PackLayout.FileHeaderSize; at < pack.Length && PackLayout.TryReadBatchHeader(pack[at..], out var batch); at += (int)batch.Length)
        {
            if (batch.Records == 0)
            {
                sketch[0] |= Ended;
                break;
            }

            var records = pack.Slice(at + PackLayout.BatchHeaderSize, (int)batch.Length - PackLayout.BatchHeaderSize);
            var length = WalkRecords(records.ToArray(), seal: false, out _);
            sketch.AddRange([GoodBatchHeader | SealRecords, (byte)length, (byte)(length >> 8), .. records[..length]]);
        }

        return [.. sketch];
    }

    private static void AddBatch(ref FuzzInput input, List<byte> file, long pack)
    {
        var flags = input.Byte();
        var bytes = input.Take(input.UInt16()).ToArray();
        file.AddRange(new byte[(flags >> 4 & 3) * PackLayout.Alignment]); // a hole
        var offset = file.Count;
        var records = bytes.AsSpan((flags & GoodBatchHeader) != 0 ? 0 : Math.Min(bytes.Length, PackLayout.BatchHeaderSize));
        WalkRecords(records, (flags & SealRecords) != 0, out var count);
        if ((flags & GoodBatchHeader) != 0)
        {
            var header = new byte[PackLayout.BatchHeaderSize];
            count = (flags & CountFromInput) != 0 ? flags >> 4 : count;
            PackLayout.WriteBatchHeader(header, new(pack, offset, PackLayout.Align(header.Length + bytes.Length), count, 1_700_000_000_000_000));
            file.AddRange(header);
        }
        else if ((flags & SealHeader) != 0 && bytes.Length >= PackLayout.BatchHeaderSize)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, PackLayout.BatchMagic);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), pack);
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(24), offset);
            PackLayout.Seal(bytes.AsSpan(0, PackLayout.BatchHeaderSize));
        }

        file.AddRange(bytes);
    }

    /// <summary>Steps over the records at the start of some bytes, making their checksums good on the way. How many bytes they take.</summary>
    private static int WalkRecords(Span<byte> bytes, bool seal, out int count)
    {
        var at = 0;
        for (count = 0; bytes.Length - at >= PackLayout.RecordHeaderSize; count++)
        {
            var record = bytes[at..];
            if (!StoredRecord.TryReadLengths(record, out var metadata, out var inline) || PackLayout.RecordHeaderSize + metadata + inline > record.Length)
            {
                break;
            }

            if (seal)
            {
                SealRecord(record[..(PackLayout.RecordHeaderSize + metadata)]);
            }

            at += PackLayout.RecordHeaderSize + metadata + (int)inline;
        }

        return at;
    }

    private static void SealRecord(Span<byte> head) =>
        BinaryPrimitives.WriteUInt64LittleEndian(head[8..], XxHash3.HashToUInt64(head[16..]));

    private static void Pad(List<byte> file) => file.AddRange(new byte[(int)(PackLayout.Align(file.Count) - file.Count)]);
}
