using System.Buffers;
using System.Buffers.Binary;

namespace FastListener.Storage.Payloads;

/// <summary>Bytes that grow at the end. Keeps a small array over its resets; larger ones are rented and given back.</summary>
internal sealed class ByteBuffer(int keptBytes)
{
    private readonly byte[] _kept = new byte[keptBytes];
    private byte[]? _rented;

    public int Length { get; private set; }

    public Span<byte> Written => Array.AsSpan(0, Length);

    private byte[] Array => _rented ?? _kept;

    /// <summary>Makes room for so many more bytes and counts them as written; the caller fills all of them.</summary>
    public Span<byte> Extend(int count)
    {
        var end = checked(Length + count);
        if (end > Array.Length)
        {
            Grow(end);
        }

        var span = Array.AsSpan(Length, count);
        Length = end;
        return span;
    }

    public void Append(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Extend(bytes.Length));

    public void AppendByte(byte value) => Extend(1)[0] = value;

    /// <summary>LEB128: seven bits a byte, low ones first.</summary>
    public void AppendVarint(ulong value)
    {
        Span<byte> bytes = stackalloc byte[10];
        var count = 0;
        for (; value >= 0x80; value >>= 7)
        {
            bytes[count++] = (byte)(value | 0x80);
        }

        bytes[count++] = (byte)value;
        Append(bytes[..count]);
    }

    public void AppendPrefixed(ReadOnlySpan<byte> bytes)
    {
        AppendVarint((ulong)bytes.Length);
        Append(bytes);
    }

    public void AppendUInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Extend(4), value);

    public void Truncate(int length) => Length = Math.Min(Length, length);

    /// <summary>Empties it and gives rented memory back.</summary>
    public void Reset()
    {
        Length = 0;
        if (_rented is { } rented)
        {
            _rented = null;
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void Grow(int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Array.Length * 2));
        Written.CopyTo(larger);
        if (_rented is { } rented)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        _rented = larger;
    }
}
