using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Corpus;

/// <summary>
/// The escape language of corpus files (tests/corpus/README.md): text, one character a byte as UTF-8 spells it, with
/// <c>{words}</c> for what a text file cannot hold or cannot know. Braces around anything else stand for themselves.
/// </summary>
internal sealed partial class CorpusText(IReadOnlyDictionary<string, string> names)
{
    private static readonly Dictionary<string, byte[]> s_files = new(StringComparer.Ordinal)
    {
        ["crashpad.dmp"] = Repository.CrashpadDump,
        ["breakpad.dmp"] = Repository.BreakpadDump,
        ["tiny.dmp"] = TinyDump(),
    };

    public byte[] Bytes(string text)
    {
        using var bytes = new MemoryStream();
        var at = 0;
        foreach (Match match in Word().Matches(text))
        {
            bytes.Write(Encoding.UTF8.GetBytes(text[at..match.Index]));
            bytes.Write(Expand(match));
            at = match.Index + match.Length;
        }

        bytes.Write(Encoding.UTF8.GetBytes(text[at..]));
        return bytes.ToArray();
    }

    public static byte[] Compress(string coding, byte[] bytes)
    {
        using var target = new MemoryStream();
        using (Stream stream = coding == "gzip"
            ? new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true)
            : new ZLibStream(target, CompressionLevel.Fastest, leaveOpen: true))
        {
            stream.Write(bytes);
        }

        return target.ToArray();
    }

    private byte[] Expand(Match match)
    {
        var word = match.Groups[1].Value;
        if (word is "~")
        {
            return [];
        }

        if (word is "cr" or "lf" or "crlf")
        {
            return word switch { "cr" => "\r"u8.ToArray(), "lf" => "\n"u8.ToArray(), _ => "\r\n"u8.ToArray() };
        }

        if (word.StartsWith("x ", StringComparison.Ordinal))
        {
            return Convert.FromHexString(word[2..].Replace(" ", "", StringComparison.Ordinal));
        }

        if (word.StartsWith("repeat ", StringComparison.Ordinal))
        {
            var parts = word.Split(' ', 3);
            return Bytes(string.Concat(Enumerable.Repeat(parts[2], int.Parse(parts[1], CultureInfo.InvariantCulture))));
        }

        if (word.StartsWith("gzip ", StringComparison.Ordinal))
        {
            return Compress("gzip", s_files[word[5..]]);
        }

        if (s_files.TryGetValue(word, out var file))
        {
            return file;
        }

        return names.TryGetValue(word, out var value) ? Encoding.UTF8.GetBytes(value) : Encoding.UTF8.GetBytes(match.Value);
    }

    /// <summary>
    /// The smallest thing that starts as a minidump: signature, version, a header's worth of bytes, and in it what parsers trip over
    /// (a line end, dashes, NUL, 0xFF).
    /// </summary>
    private static byte[] TinyDump() =>
        [.. "MDMP"u8, 0x93, 0xA7, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, .. "\r\n--\r\n\n\r-"u8, 0xFF, 0x00, 0x1A, 0x80, 1, 2, 3, 4];

    [GeneratedRegex("\\{(~|cr|lf|crlf|x [0-9A-Fa-f ]+|repeat [0-9]+ [^}]*|gzip [a-z.]+|[a-z][a-z0-9.-]*)\\}")]
    private static partial Regex Word();
}
