using System.Text;
using FastListener.Load.Sockets;
using Xunit;

namespace FastListener.Tests.Load;

public sealed class ReplyReaderTests
{
    [Fact]
    public void A_chunked_answer_ends_with_its_last_chunk()
    {
        var reader = new ReplyReader();
        Assert.False(Take(reader, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"));
        Assert.True(Take(reader, "0\r\n\r\n"));
        Assert.Equal(200, reader.Status);
    }

    [Fact]
    public void A_chunked_answer_longer_than_the_buffer_is_refused()
    {
        var reader = new ReplyReader();
        Take(reader, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4000\r\n");
        Assert.Throws<InvalidDataException>(() => Take(reader, new string('x', reader.Free.Length)));
    }

    [Fact]
    public void Of_a_long_answer_with_a_length_the_beginning_is_kept()
    {
        var reader = new ReplyReader();
        Assert.False(Take(reader, "HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\nfirst"));
        for (var left = 100_000 - 5; left > 0;)
        {
            var count = Math.Min(left, reader.Free.Length);
            left -= count;
            Assert.Equal(left == 0, Take(reader, new string('x', count)));
        }

        Assert.StartsWith("first", Encoding.ASCII.GetString(reader.Body), StringComparison.Ordinal);
    }

    private static bool Take(ReplyReader reader, string text) => reader.Take(Encoding.ASCII.GetBytes(text, reader.Free));
}
