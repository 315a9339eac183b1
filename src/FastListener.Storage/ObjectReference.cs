using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;

namespace FastListener.Storage;

/// <summary>
/// How a client or an operator names an object: the full <c>_rxid</c> (<c>56000000-8be7-5806-0000-000000000000</c>: the low word of the id
/// little-endian, four random bytes, eight zeros), the same with zeros instead of the random bytes, or the id in short hex (<c>56</c>).
/// All of what was given must fit the object: see <see cref="Matches"/>.
/// </summary>
public readonly record struct ObjectReference
{
    private readonly bool _isShort;

    private ObjectReference(long id, uint random, bool isShort)
    {
        Id = id;
        Random = random;
        _isShort = isShort;
    }

    /// <summary>The id (short form), or the low 32 bits of it (16-byte forms).</summary>
    public long Id { get; }

    /// <summary>The random word of a full <c>_rxid</c>; 0 in the other forms. No object has 0.</summary>
    public uint Random { get; }

    /// <summary>A reference to the object with exactly this id.</summary>
    public static ObjectReference ForId(long id) => new(id, 0, isShort: true);

    /// <summary>True when every part of the reference that was given fits the object.</summary>
    public bool Matches(long id, uint random) =>
        (_isShort ? id == Id : (uint)id == (uint)Id) && (Random == 0 || Random == random);

    /// <summary>The smallest id at or after <paramref name="after"/> that could match; -1 when there is none up to <paramref name="last"/>.</summary>
    internal long NextCandidate(long after, long last)
    {
        if (_isShort)
        {
            return Id >= after && Id <= last ? Id : -1;
        }

        var candidate = (after & ~0xFFFF_FFFFL) | (uint)Id;
        if (candidate < after)
        {
            candidate += 1L << 32;
        }

        return candidate <= last ? candidate : -1;
    }

    /// <summary>Reads any of the three forms, upper or lower case. False for everything else, trailing bytes included.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ObjectReference reference)
    {
        reference = default;
        if (text.Length is > 0 and <= 16)
        {
            if (!Utf8Parser.TryParse(text, out ulong id, out var used, 'x') || used != text.Length || id is 0 or > long.MaxValue)
            {
                return false;
            }

            reference = new((long)id, 0, isShort: true);
            return true;
        }

        if (text.Length != ReceiptId.RxidLength || !Utf8Parser.TryParse(text, out Guid guid, out var consumed, 'D') || consumed != text.Length)
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[16];
        guid.TryWriteBytes(bytes, bigEndian: true, out _);
        var low = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]) != 0)
        {
            return false;
        }

        reference = new(low, BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]), isShort: false);
        return true;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte}, out ObjectReference)"/>
    public static bool TryParse(ReadOnlySpan<char> text, out ObjectReference reference)
    {
        Span<byte> bytes = stackalloc byte[ReceiptId.RxidLength];
        if (text.Length > bytes.Length || System.Text.Ascii.FromUtf16(text, bytes, out var written) != System.Buffers.OperationStatus.Done)
        {
            reference = default;
            return false;
        }

        return TryParse(bytes[..written], out reference);
    }

    /// <summary>The form it was given in, lower case.</summary>
    public override string ToString() =>
        _isShort ? Id.ToString("x", CultureInfo.InvariantCulture) : ReceiptId.Rxid(Id, Random);
}

/// <summary>The written forms of an object's id.</summary>
public static class ReceiptId
{
    /// <summary>Length of a 16-byte form in ASCII characters.</summary>
    public const int RxidLength = 36;

    /// <summary>Longest short form (hex id) in ASCII characters.</summary>
    public const int MaxObjectLength = 16;

    /// <summary>Writes the <c>_rxid</c>, 36 bytes; with <paramref name="random"/> = 0 the zero-filled form of attachment replies.</summary>
    public static void FormatRxid(long id, uint random, Span<byte> destination)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)id);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], random);
        Utf8Formatter.TryFormat(new Guid(bytes, bigEndian: true), destination, out _, 'D');
    }

    /// <summary>Writes the id in hex without leading zeros; returns the length, at most <see cref="MaxObjectLength"/>.</summary>
    public static int FormatObject(long id, Span<byte> destination)
    {
        Utf8Formatter.TryFormat((ulong)id, destination, out var written, 'x');
        return written;
    }

    /// <summary>The <c>_rxid</c> as a string.</summary>
    public static string Rxid(long id, uint random)
    {
        Span<byte> text = stackalloc byte[RxidLength];
        FormatRxid(id, random, text);
        return System.Text.Encoding.ASCII.GetString(text);
    }
}
