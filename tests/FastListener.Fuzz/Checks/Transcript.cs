using System.Buffers.Binary;

namespace FastListener.Fuzz.Checks;

/// <summary>What a parser said, written down so that two runs compare byte for byte. Reused from input to input.</summary>
internal sealed class Transcript
{
    private byte[] _bytes = new byte[4096];

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public int Length { get; private set; }

    public void Clear() => Length = 0;

    /// <summary>Takes back what was written after a place.</summary>
    public void CutAt(int length) => Length = length;

    public void Add(long number) => BinaryPrimitives.WriteInt64LittleEndian(Extend(8), number);

    public void Add(bool flag) => Extend(1)[0] = flag ? (byte)1 : (byte)0;

    public void Add(ReadOnlySpan<byte> text)
    {
        Add(text.Length);
        AddRaw(text);
    }

    /// <summary>Without a length, for what arrives in pieces.</summary>
    public void AddRaw(ReadOnlySpan<byte> text) => text.CopyTo(Extend(text.Length));

    private Span<byte> Extend(int count)
    {
        if (_bytes.Length - Length < count)
        {
            Array.Resize(ref _bytes, Math.Max(Length + count, 2 * _bytes.Length));
        }

        Length += count;
        return _bytes.AsSpan(Length - count, count);
    }
}
