using System.Text;
using FastListener.Protocol.Http;

namespace FastListener.Protocol.Tests.Support;

/// <summary>Runs the head parser over pieces and writes the outcome down as text, so that outcomes compare and read well.</summary>
internal static class HeadReading
{
    public static string Outcome(byte[][] pieces) => Outcome(pieces, null);

    public static string Outcome(byte[][] pieces, HeadLimits? limits)
    {
        using var parser = new RequestHeadParser(limits);
        return Outcome(parser, pieces);
    }

    public static string Outcome(RequestHeadParser parser, byte[][] pieces)
    {
        var total = 0;
        foreach (var piece in pieces)
        {
            var lent = (byte[])piece.Clone(); // the parser may not look at it again
            var status = parser.Append(lent, out var consumed);
            Array.Fill(lent, (byte)'\xCC');
            total += consumed;
            switch (status)
            {
                case ParseStatus.Done:
                    return Describe(parser.Head, total);
                case ParseStatus.Rejected:
                    Assert.NotEqual(HttpFault.None, parser.Fault);
                    return $"{parser.Fault} at {total}";
            }

            Assert.Equal(piece.Length, consumed);
        }

        return $"NeedMore after {total}";
    }

    public static string Describe(RequestHead head, int length)
    {
        var text = new StringBuilder();
        text.Append(Latin1(head.MethodBytes)).Append(' ').Append(Latin1(head.Target)).Append(head.IsHttp10 ? " 1.0" : " 1.1");
        text.Append(" [").Append(head.Method).Append(' ').Append(Latin1(head.PathAndQuery)).Append(' ').Append(head.Framing.Kind).Append(' ').Append(head.Framing.Length);
        text.Append(head.KeepAlive ? " keep" : " close").Append(head.ExpectContinue ? " expect" : "").Append(' ').Append(head.ContentCoding);
        text.Append(' ').Append(Latin1(head.ContentType)).Append("]\n");
        for (var i = 0; i < head.FieldCount; i++)
        {
            var (name, value) = head.Field(i);
            text.Append(Latin1(name)).Append('=').Append(Latin1(value)).Append('\n');
        }

        return text.Append("length ").Append(length).ToString();
    }

    public static string Latin1(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    public static byte[] Bytes(string latin1) => Encoding.Latin1.GetBytes(latin1);
}
