using System.Security.Cryptography;
using System.Text;
using FastListener.Protocol.Multipart;

namespace FastListener.Protocol.Tests.Support;

/// <summary>One part as the parser gave it.</summary>
internal sealed record ReadPart(string? Name, string? FileName, string ContentType, byte[] Data, bool Ended)
{
    public string Text => Encoding.Latin1.GetString(Data);

    public override string ToString() =>
        $"name={Name ?? "-"} file={FileName ?? "-"} type={ContentType} ended={Ended} {Data.Length}:{(Data.Length <= 200 ? Text : Convert.ToHexString(SHA256.HashData(Data)))}";
}

/// <summary>A whole body as the parser gave it.</summary>
internal sealed record ReadBody(IReadOnlyList<ReadPart> Parts, MultipartFault Fault, int DataEvents)
{
    /// <summary>Everything that may not depend on the cuts. What a rejected body's last part held until then may.</summary>
    public override string ToString() =>
        string.Join('\n', Parts.Where(p => Fault == MultipartFault.None || p.Ended)) + $"\n{Fault} {Parts.Count}";
}

/// <summary>Runs the multipart parser over pieces.</summary>
internal static class MultipartReading
{
    public static ReadBody Read(string boundary, byte[][] pieces, MultipartLimits? limits = null)
    {
        using var parser = new MultipartParser(limits);
        return Read(parser, boundary, pieces);
    }

    public static ReadBody Read(MultipartParser parser, string boundary, byte[][] pieces)
    {
        parser.Reset(Encoding.Latin1.GetBytes(boundary));
        var parts = new List<ReadPart>();
        var data = new MemoryStream();
        var events = 0;
        var ended = false;
        foreach (var piece in pieces)
        {
            var lent = (byte[])piece.Clone();
            var rest = lent.AsMemory();
            while (true)
            {
                var found = parser.Next(rest, out var consumed);
                switch (found)
                {
                    case MultipartEvent.PartBegin:
                        parts.Add(Describe(parser.Part));
                        data.SetLength(0);
                        break;
                    case MultipartEvent.Bytes:
                        Assert.False(parser.Data.IsEmpty);
                        data.Write(parser.Data.Span);
                        events++;
                        break;
                    case MultipartEvent.PartEnd:
                        parts[^1] = parts[^1] with { Data = data.ToArray(), Ended = true };
                        break;
                    case MultipartEvent.End:
                        Assert.False(ended);
                        ended = true;
                        break;
                    case MultipartEvent.Rejected:
                        Assert.NotEqual(MultipartFault.None, parser.Fault);
                        return new(parts, parser.Fault, events);
                    default:
                        Assert.Equal(rest.Length, consumed);
                        break;
                }

                rest = rest[consumed..];
                if (found == MultipartEvent.NeedMore)
                {
                    break;
                }
            }

            Array.Fill(lent, (byte)'\xCC'); // the parser may not look at it again
        }

        var last = parser.Complete();
        Assert.True(last is MultipartEvent.End or MultipartEvent.Rejected);
        Assert.Equal(last == MultipartEvent.Rejected, parser.Fault != MultipartFault.None);
        Assert.True(!ended || last == MultipartEvent.End);
        return new(parts, parser.Fault, events);
    }

    /// <summary>Reads the body however it arrives; every way must give the same.</summary>
    public static ReadBody ReadEveryWay(string boundary, byte[] body, MultipartLimits? limits = null)
    {
        Split.SameOutcome(body, pieces => Read(boundary, pieces, limits).ToString());
        return Read(boundary, [body], limits);
    }

    private static ReadPart Describe(PartHeaders part) => new(
        part.HasName ? Encoding.UTF8.GetString(part.Name) : null,
        part.HasFileName ? Encoding.UTF8.GetString(part.FileName) : null,
        Encoding.UTF8.GetString(part.ContentType),
        [],
        Ended: false);
}
