using System.Buffers.Binary;
using System.IO.Hashing;
using FastListener.Fuzz.Checks;
using FastListener.Storage;
using FastListener.Storage.Catalog;
using FastListener.Storage.Packs;

namespace FastListener.Fuzz.Packs;

/// <summary>Checks what was read out of a pack against the pack's bytes, without the code that read it.</summary>
internal static class PackBytes
{
    private const int HeaderSize = 40;

    /// <summary>A record that was given out stands in the file, whole and with its checksum, and its payloads lie within it.</summary>
    public static void Check(ReadOnlySpan<byte> file, in RecordPlace place, long objectId, IReadOnlyList<PayloadInfo> payloads)
    {
        Invariant.Holds(place.Offset >= 4096 + 64 && place.Length >= HeaderSize && place.Offset + place.Length <= file.Length, "A record lies within its pack.");
        var record = file.Slice((int)place.Offset, (int)place.Length);
        var metadata = BinaryPrimitives.ReadInt32LittleEndian(record[20..]);
        var inline = BinaryPrimitives.ReadInt64LittleEndian(record[32..]);
        Invariant.Holds(record.StartsWith("FLRC"u8) && HeaderSize + metadata + inline == record.Length, "A record has its mark and its length.");
        Invariant.Holds(
            BinaryPrimitives.ReadUInt64LittleEndian(record[8..]) == XxHash3.HashToUInt64(record[16..(HeaderSize + metadata)]), "No record is given out whose checksum does not fit.");
        Invariant.Holds(BinaryPrimitives.ReadInt64LittleEndian(record[24..]) == objectId, "A record keeps its object's id.");
        foreach (var payload in payloads)
        {
            Invariant.Holds(payload.Size >= 0, "A payload has a size.");
            Invariant.Holds(
                !payload.IsInline || (payload.Offset >= place.Offset + HeaderSize + metadata && payload.Offset + payload.Size <= place.Offset + place.Length),
                "An inline payload lies within its record.");
        }
    }

    /// <summary>Whether an inline payload's bytes have their checksum.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> file, PayloadInfo payload) =>
        Convert.ToHexStringLower(XxHash128.Hash(file.Slice((int)payload.Offset, (int)payload.Size))) == payload.Checksum;
}
