using FastListener.Protocol.Http;
using Xunit;

namespace FastListener.Protocol.Tests;

public class ChunkedDecoderTests
{
    [Fact]
    public void A_chunked_body_reads_the_same_wherever_it_is_cut()
    {
        var bytes = "4;a=b\r\nwiki\r\n5\r\npedia\r\n0\r\nX: y\r\n\r\n"u8.ToArray();
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            var decoder = new ChunkedDecoder();
            decoder.Reset();
            var data = new List<byte>();
            Feed(decoder, bytes.AsSpan(0, cut), data);
            var status = Feed(decoder, bytes.AsSpan(cut), data);
            Assert.Equal("wikipedia"u8.ToArray(), data.ToArray());
            Assert.True(status is ParseStatus.Done || cut == bytes.Length);
        }
    }

    [Theory]
    [InlineData("4\nwiki\r\n0\r\n\r\n")]
    [InlineData("4;a\nwiki\r\n0\r\n\r\n")]
    [InlineData("4\r\nwikiX")]
    [InlineData("g\r\n")]
    [InlineData("ffffffffffffffffff\r\n")]
    public void Framing_that_servers_could_read_differently_is_refused(string text)
    {
        var decoder = new ChunkedDecoder();
        decoder.Reset();
        Assert.Equal(ParseStatus.Rejected, Feed(decoder, System.Text.Encoding.ASCII.GetBytes(text), []));
    }

    private static ParseStatus Feed(ChunkedDecoder decoder, ReadOnlySpan<byte> input, List<byte> data)
    {
        var status = ParseStatus.NeedMore;
        while (!input.IsEmpty && status is ParseStatus.NeedMore)
        {
            status = decoder.Next(input, out var consumed, out var start, out var length);
            data.AddRange(input.Slice(start, length));
            input = input[consumed..];
        }

        return status;
    }
}
