using System.IO.Hashing;

namespace FastListener.Storage.Packs;

/// <summary>
/// A Bloom filter over an object's "name = value" pairs, kept in its catalog row: a search skips what cannot match and reads the records of the
/// rest. Five bits a pair in about eleven: one false candidate in a hundred or two.
/// </summary>
internal static class AttributeSignature
{
    private const int BitsPerPair = 11;
    private const int Hashes = 5;

    /// <summary>Bytes of the filter for so many pairs.</summary>
    public static int SizeFor(int pairs) => (pairs * BitsPerPair + 7) / 8;

    public static ulong HashOf(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        XxHash3.HashToUInt64(value, (long)XxHash3.HashToUInt64(name));

    public static void Add(Span<byte> signature, ulong hash)
    {
        for (var i = 0; i < Hashes; i++)
        {
            var bit = BitOf(hash, i, signature.Length);
            signature[bit >> 3] |= (byte)(1 << (bit & 7));
        }
    }

    public static bool MayContain(ReadOnlySpan<byte> signature, ulong hash)
    {
        if (signature.IsEmpty)
        {
            return false;
        }

        for (var i = 0; i < Hashes; i++)
        {
            var bit = BitOf(hash, i, signature.Length);
            if ((signature[bit >> 3] & (1 << (bit & 7))) == 0)
            {
                return false;
            }
        }

        return true;
    }

    private static int BitOf(ulong hash, int index, int bytes)
    {
        // Two halves make as many hashes as one likes (Kirsch and Mitzenmacher).
        var combined = (uint)hash + (uint)index * (uint)((hash >> 32) | 1);
        return (int)(((ulong)combined * ((uint)bytes * 8)) >> 32);
    }
}
