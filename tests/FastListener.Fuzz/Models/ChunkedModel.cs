using System.Text;
using System.Text.RegularExpressions;
using FastListener.Protocol.Http;

namespace FastListener.Fuzz.Models;

/// <summary>The chunked coding of RFC 9112 7.1 said a second time: lines and regular expressions over bytes that are all there.</summary>
internal static partial class ChunkedModel
{
    private const int SafeLength = 60_000; // shorter than any flood of extensions that the decoder refuses

    public static bool Applies(ReadOnlySpan<byte> bytes) => bytes.Length <= SafeLength;

    /// <summary>True when a whole chunked body stands at the start of the bytes.</summary>
    public static bool Read(ReadOnlySpan<byte> bytes, out int length, out byte[] data)
    {
        length = 0;
        data = [];
        var text = Encoding.Latin1.GetString(bytes);
        var body = new StringBuilder();
        for (var at = 0; TakeLine(text, ref at, out var line);)
        {
            if (line.Length + 2 > ChunkedDecoder.MaxLineBytes || ChunkLine().Match(line) is not { Success: true } match)
            {
                return false;
            }

            var size = Convert.ToInt64(match.Groups["size"].Value, 16);
            if (size == 0)
            {
                length = EndOfTrailers(text, at);
                data = Encoding.Latin1.GetBytes(body.ToString());
                return length > 0;
            }

            if (size > text.Length - at - 2 || text[(int)(at + size)] != '\r' || text[(int)(at + size + 1)] != '\n')
            {
                return false;
            }

            body.Append(text, at, (int)size);
            at += (int)size + 2;
        }

        return false;
    }

    /// <summary>Encodes data in chunks of changing size; the style says how they are written, within the decoder's limit of all extensions together.</summary>
    public static byte[] Write(ReadOnlySpan<byte> data, byte style)
    {
        const string Extension = "; a=\"b\\\";\" ;c";
        const int MostExtended = 4096;
        var chunks = 0;
        using var body = new MemoryStream();
        for (var at = 0; at < data.Length;)
        {
            var size = Math.Min(data.Length - at, 1 + (data[at] * ((style & 7) + 1)));
            var digits = (style & 8) == 0 ? size.ToString("x", System.Globalization.CultureInfo.InvariantCulture) : size.ToString("X15", System.Globalization.CultureInfo.InvariantCulture);
            body.Write(Encoding.ASCII.GetBytes(digits + ((style & 16) == 0 || ++chunks > MostExtended ? "" : Extension) + "\r\n"));
            body.Write(data.Slice(at, size));
            body.Write("\r\n"u8);
            at += size;
        }

        body.Write((style & 32) == 0 ? "0\r\n"u8 : "000;last\r\n"u8);
        body.Write((style & 64) == 0 ? "\r\n"u8 : "X-Checksum: none\r\nY:\r\n\r\n"u8);
        return body.ToArray();
    }

    private static int EndOfTrailers(string text, int at)
    {
        var start = at;
        while (TakeLine(text, ref at, out var line) && at - start <= ChunkedDecoder.MaxTrailerBytes)
        {
            if (line.Length == 0)
            {
                return at;
            }

            if (!TrailerLine().IsMatch(line))
            {
                return 0;
            }
        }

        return 0;
    }

    private static bool TakeLine(string text, ref int at, out string line)
    {
        var end = text.IndexOf("\r\n", at, StringComparison.Ordinal);
        line = end < 0 ? string.Empty : text[at..end];
        at = end + 2;
        return end >= 0;
    }

    [GeneratedRegex("""\A(?<size>[0-9A-Fa-f]{1,15})(?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:\\[\t\x20-\x7E\x80-\xFF]|[\t\x20!\x23-\x5B\x5D-\x7E\x80-\xFF])*"))?)*\z""")]
    private static partial Regex ChunkLine();

    [GeneratedRegex("""\A[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7E\x80-\xFF]*\z""")]
    private static partial Regex TrailerLine();
}
