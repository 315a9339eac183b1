using FastListener.Tests.Support;
using System.Text;
using FastListener.Protocol.Http;
using FastListener.Protocol.Tests.Support;

namespace FastListener.Protocol.Tests.Http;

/// <summary>Limits hold to the byte, and what is within them costs linear work and bounded memory.</summary>
public class RequestHeadLimitTests
{
    [Theory]
    [InlineData(0, "POST")]
    [InlineData(1, "HeadTooLarge at 64")]
    public void A_head_may_be_as_long_as_the_limit_and_no_longer(int over, string outcome)
    {
        var start = "POST / HTTP/1.1\r\nHost: h\r\nX: ";
        var head = start + new string('x', 64 + over - start.Length - 4) + "\r\n\r\n";
        Assert.Equal(64 + over, head.Length);
        Assert.StartsWith(outcome, Split.SameOutcome(HeadReading.Bytes(head), p => HeadReading.Outcome(p, new() { MaxHeadBytes = 64 })), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, "POST")]
    [InlineData(4, "TooManyFields")]
    public void As_many_fields_as_the_limit_and_no_more(int fields, string outcome)
    {
        var head = "POST / HTTP/1.0\r\n" + string.Concat(Enumerable.Repeat("A:b\r\n", fields)) + "\r\n";
        Assert.StartsWith(outcome, Split.SameOutcome(HeadReading.Bytes(head), p => HeadReading.Outcome(p, new() { MaxFields = 3 })), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(10, "POST")]
    [InlineData(11, "TargetTooLong at 15")]
    public void A_target_as_long_as_the_limit_and_no_longer(int length, string outcome)
    {
        var head = $"POST /{new string('t', length - 1)} HTTP/1.0\r\n\r\n";
        Assert.StartsWith(outcome, Split.SameOutcome(HeadReading.Bytes(head), p => HeadReading.Outcome(p, new() { MaxTargetBytes = 10 })), StringComparison.Ordinal);
    }

    [Fact]
    public void The_default_limits_take_a_head_of_32_KiB_with_100_fields_and_a_target_of_8_KiB()
    {
        var head = new StringBuilder("POST /").Append('t', 8191).Append(" HTTP/1.0\r\n");
        for (var i = 0; i < 100; i++)
        {
            head.Append("X: ").Append('v', 240).Append("\r\n");
        }

        var pad = (32 * 1024) - head.Length - 2;
        Assert.InRange(pad, 0, 8000);
        head.Insert(head.Length - 2, new string('p', pad)).Append("\r\n");
        var bytes = HeadReading.Bytes(head.ToString());
        Assert.Equal(32 * 1024, bytes.Length);
        var whole = HeadReading.Outcome([bytes]);
        Assert.EndsWith("length 32768", whole, StringComparison.Ordinal);
        Assert.Equal(whole, HeadReading.Outcome(Split.ByteByByte(bytes)));
        foreach (var step in (int[])[7, 1023, 1024, 1025, 2048, 4096])
        {
            Assert.Equal(whole, HeadReading.Outcome(Split.ByLengths(bytes, [step])));
        }
    }

    [Fact]
    public void Bytes_behind_the_head_are_never_taken()
    {
        var head = HeadReading.Bytes("POST / HTTP/1.0\r\n\r\n");
        using var parser = new RequestHeadParser();
        Assert.Equal(ParseStatus.Done, parser.Append((byte[])[.. head, .. new byte[100_000]], out var consumed));
        Assert.Equal(head.Length, consumed);
    }

    [Fact]
    public void A_reused_parser_allocates_nothing()
    {
        var head = HeadReading.Bytes("POST /post?format=minidump HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 10\r\n\r\n");
        using var parser = new RequestHeadParser();
        parser.Append(head, out _);
        parser.Reset();
        Garbage.None(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                parser.Append(head.AsSpan(0, 50), out _);
                parser.Append(head.AsSpan(50), out _);
                _ = parser.Head.ContentType.Length + parser.Head.PathAndQuery.Length;
                parser.Reset();
            }
        });
    }
}
