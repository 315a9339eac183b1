using System.Buffers.Binary;

namespace FastListener.TestInputs;

/// <summary>Bytes that are the same on every machine and in every run: SplitMix64, eight bytes a step.</summary>
public static class SeededBytes
{
    /// <summary>Bytes that do not compress.</summary>
    public static byte[] Noise(int length, ulong seed)
    {
        var bytes = new byte[length];
        FillNoise(bytes, seed);
        return bytes;
    }

    /// <summary>Fills with bytes that do not compress.</summary>
    public static void FillNoise(Span<byte> destination, ulong seed)
    {
        var state = seed;
        while (destination.Length >= sizeof(ulong))
        {
            BinaryPrimitives.WriteUInt64LittleEndian(destination, Next(ref state));
            destination = destination[sizeof(ulong)..];
        }

        for (var last = Next(ref state); !destination.IsEmpty; last >>= 8)
        {
            destination[0] = (byte)last;
            destination = destination[1..];
        }
    }

    /// <summary>
    /// Bytes built like a minidump: its signature and version, then pages of zeros, of pointers that share their high bytes, of text and
    /// of noise. Compresses about as a real dump does (between 3:1 and 8:1).
    /// </summary>
    public static byte[] DumpLike(int length, ulong seed)
    {
        const int page = 512;
        var bytes = new byte[length];
        var state = seed;
        for (var start = 0; start < length; start += page)
        {
            var slice = bytes.AsSpan(start, Math.Min(page, length - start));
            var kind = Next(ref state) % 16;
            if (kind < 6)
            {
                continue; // zeros
            }

            if (kind < 11)
            {
                FillPointers(slice, ref state);
            }
            else if (kind < 15)
            {
                FillText(slice, ref state);
            }
            else
            {
                FillNoise(slice, Next(ref state));
            }
        }

        "MDMP"u8[..Math.Min(4, length)].CopyTo(bytes);
        if (length >= 8)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), 0x0000_A793);
        }

        return bytes;
    }

    internal static ulong Next(ref ulong state)
    {
        state += 0x9E37_79B9_7F4A_7C15;
        var mixed = (state ^ (state >> 30)) * 0xBF58_476D_1CE4_E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D0_49BB_1331_11EB;
        return mixed ^ (mixed >> 31);
    }

    private static void FillPointers(Span<byte> destination, ref ulong state)
    {
        for (; destination.Length >= sizeof(ulong); destination = destination[sizeof(ulong)..])
        {
            BinaryPrimitives.WriteUInt64LittleEndian(destination, 0x0000_7F3A_5C00_0000 | (Next(ref state) & 0xFFF8));
        }
    }

    private static void FillText(Span<byte> destination, ref ulong state)
    {
        while (!destination.IsEmpty)
        {
            var word = (Next(ref state) % 6) switch
            {
                0 => "/usr/lib/x86_64-linux-gnu/libc.so.6\0"u8,
                1 => "std::__1::basic_string<char>\0"u8,
                2 => "app://studio/index.html\0"u8,
                3 => "--type=renderer --lang=en-GB\0"u8,
                4 => "operator new(unsigned long)\0"u8,
                _ => "content::RenderThreadImpl::Init\0"u8,
            };
            word = word[..Math.Min(word.Length, destination.Length)];
            word.CopyTo(destination);
            destination = destination[word.Length..];
        }
    }
}
