using System.Buffers.Binary;

namespace FastListener.Load.Inputs;

/// <summary>Bytes that look random and are the same on every machine and in every run (SplitMix64).</summary>
internal static class DeterministicBytes
{
    public static void Fill(Span<byte> destination, ulong seed)
    {
        Span<byte> word = stackalloc byte[8];
        while (!destination.IsEmpty)
        {
            seed += 0x9E3779B97F4A7C15;
            var mixed = seed;
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            mixed ^= mixed >> 31;
            BinaryPrimitives.WriteUInt64LittleEndian(word, mixed);
            var take = Math.Min(8, destination.Length);
            word[..take].CopyTo(destination);
            destination = destination[take..];
        }
    }

    /// <summary>A memory dump as compressors see one: a third noise, a third repeated pointers, a third zeros. gzip makes it about 2.5 times smaller.</summary>
    public static byte[] DumpLike(int length, ulong seed)
    {
        var bytes = new byte[length];
        for (var page = 0; page * 4096 < length; page++)
        {
            var span = bytes.AsSpan(page * 4096, Math.Min(4096, length - (page * 4096)));
            switch (page % 3)
            {
                case 0:
                    Fill(span, seed + (ulong)page);
                    break;
                case 1:
                    for (var i = 0; i + 8 <= span.Length; i += 8)
                    {
                        BinaryPrimitives.WriteUInt64LittleEndian(span[i..], 0x00007F3A_10000000UL + ((ulong)((page * 31) + (i % 97)) << 4));
                    }

                    break;
                default:
                    break;
            }
        }

        return bytes;
    }
}
