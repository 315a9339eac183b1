using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace FastListener.ConformanceTests.Cases;

/// <summary>One message of a case: its lines, and what is done to its body before it is measured.</summary>
internal sealed class CaseMessage
{
    public List<string> Lines { get; } = [];

    /// <summary>Words of the <c>body</c> directive, in order: gzip, zlib, deflate, cut N, flip N, add TEXT, chunk N.</summary>
    public IReadOnlyList<string> Transforms { get; set; } = [];

    public byte[] Bytes()
    {
        var blank = Lines.IndexOf("");
        var body = blank < 0 ? [] : Transform(CaseText.Bytes(Join(Lines[(blank + 1)..]), 0));
        var head = Join(blank < 0 ? Lines : Lines[..(blank + 1)]);
        return [.. CaseText.Bytes(head, body.Length), .. body];
    }

    /// <summary>A line ends with CR LF unless its last character is a backslash.</summary>
    private static string Join(IEnumerable<string> lines)
    {
        var text = new StringBuilder();
        foreach (var line in lines)
        {
            var open = (line.Length - line.TrimEnd('\\').Length) % 2 == 1;
            text.Append(open ? line[..^1] : line + "\\r\\n");
        }

        return text.ToString();
    }

    private byte[] Transform(byte[] body)
    {
        for (var at = 0; at < Transforms.Count; at++)
        {
            body = Transforms[at] switch
            {
                "gzip" => Pack(body, stream => new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true)),
                "zlib" => Pack(body, stream => new ZLibStream(stream, CompressionLevel.Optimal, leaveOpen: true)),
                "deflate" => Pack(body, stream => new DeflateStream(stream, CompressionLevel.Optimal, leaveOpen: true)),
                "cut" => body[..^Number(++at)],
                "flip" => Flip(body, Number(++at)),
                "add" => [.. body, .. CaseText.Bytes(Transforms[++at], 0)],
                "chunk" => Chunk(body, Number(++at)),
                _ => throw new InvalidDataException($"Unknown word '{Transforms[at]}' in a body directive."),
            };
        }

        return body;
    }

    private int Number(int at) => int.Parse(Transforms[at], CultureInfo.InvariantCulture);

    private static byte[] Pack(byte[] body, Func<Stream, Stream> coder)
    {
        using var target = new MemoryStream();
        using (var stream = coder(target))
        {
            stream.Write(body);
        }

        return target.ToArray();
    }

    /// <summary>All bits of one byte turned over; a negative place counts from the end.</summary>
    private static byte[] Flip(byte[] body, int place)
    {
        var damaged = body.ToArray();
        damaged[place < 0 ? damaged.Length + place : place] ^= 0xFF;
        return damaged;
    }

    private static byte[] Chunk(byte[] body, int size)
    {
        using var chunked = new MemoryStream();
        foreach (var piece in body.Chunk(size))
        {
            chunked.Write(Encoding.ASCII.GetBytes($"{piece.Length:x}\r\n"));
            chunked.Write(piece);
            chunked.Write("\r\n"u8);
        }

        chunked.Write("0\r\n\r\n"u8);
        return chunked.ToArray();
    }
}
