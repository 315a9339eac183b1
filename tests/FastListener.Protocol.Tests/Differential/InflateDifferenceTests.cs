using System.IO.Compression;
using CsCheck;
using FastListener.Protocol.Http;
using FastListener.Protocol.Tests.Compression;
using FastListener.Protocol.Tests.Support;

namespace FastListener.Protocol.Tests.Differential;

/// <summary>
/// Our inflater beside GZipStream, over damaged gzip streams. What ours takes as whole, GZipStream reads the same. Where GZipStream reads on
/// and ours refuses, the difference is one of two: the stream is cut, or something stands behind its end.
/// </summary>
public class InflateDifferenceTests
{
    [Fact]
    public void They_read_the_same_or_differ_as_listed_on_damaged_streams()
    {
        var seen = new HashSet<string>();
        Gen.Select(Gen.Byte.Array[0, 80], Gen.Int[0, 4], Gen.Int[0, 200], Gen.Byte, Gen.Int[1, 40].Array[0, 4]).Sample((data, how, where, any, cuts) =>
        {
            var packed = InflaterTests.Gzip(data);
            where %= packed.Length;
            byte[] bad = how switch
            {
                0 => packed,
                1 => [.. packed[..where], any, .. packed[(where + 1)..]],
                2 => packed[..where],
                3 => [.. packed, any, .. data],
                _ => [.. packed, .. InflaterTests.Gzip([any]), .. packed[..where]],
            };
            var difference = Difference(bad, cuts);
            lock (seen)
            {
                seen.Add(difference);
            }
        }, iter: 3000);
        Assert.Equal(["agree", "cut", "something behind the end"], seen.Order());
    }

    private static string Difference(byte[] packed, int[] cuts)
    {
        var ours = InflaterTests.Outcome(ContentCoding.Gzip, Split.ByLengths(packed, cuts));
        var stock = ReadStock(packed);
        if (stock is null)
        {
            Assert.False(ours.StartsWith("whole", StringComparison.Ordinal), "We take as whole what GZipStream refuses.");
            return "agree";
        }

        var theirs = "whole " + Convert.ToHexString(stock);
        if (ours == theirs)
        {
            return "agree";
        }

        if (ours.StartsWith("cut", StringComparison.Ordinal))
        {
            return "cut";
        }

        Assert.StartsWith("bad", ours, StringComparison.Ordinal);
        var end = Enumerable.Range(0, packed.Length).FirstOrDefault(n => InflaterTests.Outcome(ContentCoding.Gzip, [packed[..n]]) == theirs);
        Assert.True(end > 0, $"GZipStream reads {theirs}, we say {ours}: {Convert.ToHexString(packed)}");
        return "something behind the end";
    }

    private static byte[]? ReadStock(byte[] packed)
    {
        try
        {
            using var stream = new GZipStream(new MemoryStream(packed), CompressionMode.Decompress);
            var copy = new MemoryStream();
            stream.CopyTo(copy);
            return copy.ToArray();
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
