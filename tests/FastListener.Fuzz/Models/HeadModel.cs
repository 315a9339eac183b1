using System.Text;
using FastListener.Fuzz.Checks;
using FastListener.Protocol.Http;

namespace FastListener.Fuzz.Models;

/// <summary>
/// Reads an accepted head a second time, line by line with nothing clever, and compares: what is accepted has exactly these lines, and its
/// framing is what RFC 9112 6.3 says of them.
/// </summary>
internal static class HeadModel
{
    private const string TokenMarks = "!#$%&'*+-.^_`|~";

    /// <param name="head">The head as parsed.</param>
    /// <param name="bytes">The bytes it took.</param>
    /// <param name="limits">The limits it was parsed with.</param>
    public static void Check(RequestHead head, ReadOnlySpan<byte> bytes, HeadLimits limits)
    {
        while (bytes.StartsWith("\r\n"u8))
        {
            bytes = bytes[2..];
        }

        var line = Line(ref bytes);
        Invariant.Holds(IsToken(head.MethodBytes), "A method is a token.");
        Invariant.Holds(
            line.StartsWith(head.MethodBytes) && line[head.MethodBytes.Length..][1..].StartsWith(head.Target)
                && line.Length == head.MethodBytes.Length + head.Target.Length + 10
                && line[^9..].SequenceEqual(head.IsHttp10 ? " HTTP/1.0"u8 : [.. " HTTP/1."u8, line[^1]])
                && (line[^1] == '0') == head.IsHttp10,
            "The request line is method, blank, target, blank, version.");
        Invariant.Holds(head.Target.Length <= limits.MaxTargetBytes && head.FieldCount <= limits.MaxFields, "Limits hold.");
        Invariant.Holds(!head.Target.ContainsAny((byte)' ', (byte)'\r', (byte)'\n') && !head.Target.Contains((byte)0), "A target is one word.");
        CheckPath(head);
        var lengths = 0;
        var codings = 0;
        var hosts = 0;
        long length = 0;
        for (var i = 0; i < head.FieldCount; i++)
        {
            var (name, value) = head.Field(i);
            line = Line(ref bytes);
            var colon = line.IndexOf((byte)':');
            Invariant.Holds(colon > 0 && line[..colon].SequenceEqual(name) && IsToken(name), "A field's name is the token before the colon.");
            Invariant.Holds(line[(colon + 1)..].Trim(" \t"u8).SequenceEqual(value), "A field's value is what follows the colon, without blanks around it.");
            Invariant.Holds(!HoldsControls(value), "A field's value holds no control but tabs.");
            hosts += Is(name, "host"u8) ? 1 : 0;
            if (Is(name, "content-length"u8))
            {
                lengths++;
                length = long.Parse(value, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture);
            }
            else if (Is(name, "transfer-encoding"u8))
            {
                codings++;
                Invariant.Holds(Is(value, "chunked"u8), "Chunked is the only transfer coding.");
            }
        }

        Invariant.Holds(bytes.SequenceEqual("\r\n"u8), "The head ends with the empty line behind its last field.");
        Invariant.Holds(lengths + codings <= 1 && (hosts == 1 || (hosts == 0 && head.IsHttp10)), "There is one framing and one host.");
        var framing = codings == 1 ? new BodyFraming(FramingKind.Chunked, 0) : lengths == 1 ? new(FramingKind.Length, length) : default;
        Invariant.Holds(head.Framing == framing, "The body's framing follows from the fields.");
        Invariant.Holds(!(head.IsHttp10 && (head.ExpectContinue || (codings == 1 && head.KeepAlive))), "HTTP/1.0 knows neither 100-continue nor chunks that end.");
    }

    private static void CheckPath(RequestHead head)
    {
        var path = head.PathAndQuery;
        var target = head.Target;
        Invariant.Holds(
            path is [(byte)'/' or (byte)'?', ..] ? target.EndsWith(path) || path.SequenceEqual("/"u8)
                : path.SequenceEqual("*"u8) && target.SequenceEqual("*"u8) && head.MethodBytes.SequenceEqual("OPTIONS"u8),
            "The path is the end of the target.");
    }

    private static ReadOnlySpan<byte> Line(ref ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n"u8);
        Invariant.Holds(end >= 0, "Each line ends with CR LF.");
        var line = bytes[..end];
        Invariant.Holds(!line.ContainsAny((byte)'\r', (byte)'\n'), "No line holds a stray CR or LF.");
        bytes = bytes[(end + 2)..];
        return line;
    }

    private static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lowerCase) => Ascii.EqualsIgnoreCase(text, lowerCase);

    private static bool IsToken(ReadOnlySpan<byte> text)
    {
        foreach (var b in text)
        {
            if (!char.IsAsciiLetterOrDigit((char)b) && !TokenMarks.Contains((char)b, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return !text.IsEmpty;
    }

    private static bool HoldsControls(ReadOnlySpan<byte> text)
    {
        foreach (var b in text)
        {
            if (b is (< 0x20 and not (byte)'\t') or 0x7F)
            {
                return true;
            }
        }

        return false;
    }
}
