using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace FastListener.ConformanceTests.Cases;

/// <summary>The escapes of case files (tests/conformance/README.md). Braces around anything unknown stand for themselves.</summary>
internal static partial class CaseText
{
    /// <param name="text">Escaped text; other characters are their UTF-8 bytes.</param>
    /// <param name="bodyLength">What <c>{len}</c> stands for.</param>
    public static byte[] Bytes(string text, int bodyLength)
    {
        using var bytes = new MemoryStream();
        var at = 0;
        foreach (Match match in Special().Matches(text))
        {
            bytes.Write(Encoding.UTF8.GetBytes(text[at..match.Index]));
            bytes.Write(match.Value[0] == '\\' ? Escape(match.Value) : Word(match.Groups[1].Value, bodyLength));
            at = match.Index + match.Length;
        }

        bytes.Write(Encoding.UTF8.GetBytes(text[at..]));
        return bytes.ToArray();
    }

    private static byte[] Escape(string escape) => escape[1] switch
    {
        'r' => "\r"u8.ToArray(),
        'n' => "\n"u8.ToArray(),
        't' => "\t"u8.ToArray(),
        '0' => [0],
        'x' => [byte.Parse(escape.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)],
        _ => "\\"u8.ToArray(),
    };

    private static byte[] Word(string word, int bodyLength)
    {
        if (word.StartsWith("repeat ", StringComparison.Ordinal))
        {
            var parts = word.Split(' ', 3);
            var piece = Bytes(parts[2], bodyLength);
            return [.. Enumerable.Repeat(piece, Number(parts[1])).SelectMany(item => item)];
        }

        if (word.StartsWith("count ", StringComparison.Ordinal))
        {
            var parts = word.Split(' ', 3);
            return [.. Enumerable.Range(1, Number(parts[1]))
                .SelectMany(index => Bytes(parts[2].Replace("#", index.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal), bodyLength))];
        }

        return Encoding.ASCII.GetBytes(word switch
        {
            "token" => ConformanceServer.Token,
            "symbol-token" => ConformanceServer.SymbolToken,
            "post" => $"POST /post?format=minidump&token={ConformanceServer.Token} HTTP/1.1",
            "post10" => $"POST /post?format=minidump&token={ConformanceServer.Token} HTTP/1.0",
            _ => (bodyLength + (word.Length == 3 ? 0 : Number(word[3..]))).ToString(CultureInfo.InvariantCulture),
        });
    }

    private static int Number(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\\(?:[rnt0\\]|x[0-9A-Fa-f]{2})|\{(token|symbol-token|post|post10|len(?:[+-][0-9]+)?|(?:repeat|count) [0-9]+ [^}]*)\}")]
    private static partial Regex Special();
}
