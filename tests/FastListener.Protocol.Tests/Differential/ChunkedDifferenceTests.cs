using CsCheck;
using FastListener.Fuzz.Models;
using FastListener.Protocol.Http;
using FastListener.Protocol.Tests.Support;

namespace FastListener.Protocol.Tests.Differential;

/// <summary>Our chunk decoder beside the model of RFC 9112 7.1 that the fuzz targets use, which is lines and regular expressions. There is no difference.</summary>
public class ChunkedDifferenceTests
{
    private static readonly string[] Words =
    [
        "0", "1", "3", "a", "F", "00", "0000000000000002", "\r\n", "\r", "\n", ";", "=", "a=b", ";x", ";a=\"b\"", ";a=\"\\\"\"", "\"", " ", "\t", "\0", "\x7F", "\xE4",
        "abc", "0\r\n\r\n", "3\r\nabc\r\n", "1\r\nx\r\n", "X: y\r\n", "X:\r\n", " X: y\r\n", "X : y\r\n",
    ];

    [Fact]
    public void Decoder_and_model_agree_on_bodies_made_of_words() =>
        Gen.Select(Gen.Int[0, Words.Length - 1].Select(i => Words[i]).Array[0, 14], Gen.Int[1, 20].Array[0, 4]).Sample(
            (words, cuts) =>
            {
                Compare(HeadReading.Bytes(string.Concat(words)), cuts);
            },
            iter: 5000);

    [Fact]
    public void Decoder_and_model_agree_on_damaged_bodies() =>
        Gen.Select(Gen.Byte.Array[1, 60], Gen.Byte, Gen.Int[0, 500], Gen.Byte, Gen.Int[1, 20].Array[0, 4]).Sample((data, style, where, any, cuts) =>
        {
            var body = ChunkedModel.Write(data, style);
            Assert.True(Compare(body, cuts));
            body[where % body.Length] = any;
            Compare(body, cuts);
        }, iter: 3000);

    private static bool Compare(byte[] body, int[] cuts)
    {
        var whole = ChunkedModel.Read(body, out var length, out var expected);
        var (status, _, data, consumed) = ChunkReading.Decode(new(), Split.ByLengths(body, cuts));
        Assert.Equal(whole, status == ParseStatus.Done);
        if (whole)
        {
            Assert.Equal(length, consumed);
            Assert.Equal(expected, data);
        }

        return whole;
    }
}
