using System.Buffers.Binary;

namespace FastListener.Storage.Packs;

/// <summary>Reads what <see cref="Payloads.ByteBuffer"/> wrote. Past the end or on nonsense it throws <see cref="InvalidDataException"/>.</summary>
internal ref struct SpanReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    public ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)_rest.Length)
        {
            throw new InvalidDataException("A stored record ends too soon.");
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    public byte Byte() => Take(1)[0];

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("A stored number is too long.");
    }

    public int Count() => Varint() is var value and <= int.MaxValue ? (int)value : throw new InvalidDataException("A stored length is too large.");

    public ReadOnlySpan<byte> Prefixed() => Take(Count());

    public string Text() => System.Text.Encoding.UTF8.GetString(Prefixed());
}
