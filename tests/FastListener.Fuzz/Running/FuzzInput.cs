using System.Buffers.Binary;

namespace FastListener.Fuzz.Running;

/// <summary>An input taken apart: a few selectors, then what the target reads. What is missing at the end counts as zero.</summary>
internal ref struct FuzzInput(ReadOnlySpan<byte> bytes)
{
    public ReadOnlySpan<byte> Rest { get; private set; } = bytes;

    public byte Byte()
    {
        if (Rest.IsEmpty)
        {
            return 0;
        }

        var first = Rest[0];
        Rest = Rest[1..];
        return first;
    }

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian([Byte(), Byte()]);

    public ReadOnlySpan<byte> Take(int count)
    {
        var taken = Rest[..Math.Min(count, Rest.Length)];
        Rest = Rest[taken.Length..];
        return taken;
    }
}
