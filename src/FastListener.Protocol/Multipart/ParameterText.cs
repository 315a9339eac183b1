using System.Text.Unicode;
using FastListener.Protocol.Text;

namespace FastListener.Protocol.Multipart;

/// <summary>
/// From the many ways in which clients write a name to UTF-8. Quoting is undone first. Text that is not UTF-8 is then read as ISO-8859-1.
/// Otherwise RFC 2047 words are decoded (.NET); without any, percent escapes are (Crashpad, Breakpad on macOS, browsers and curl for
/// quotes and line ends), except <c>%00</c> and where the result would not be UTF-8. No NUL comes out: part heads with one are refused.
/// </summary>
internal static class ParameterText
{
    /// <summary>Room for all texts of a head of this size, the working space of the last one included.</summary>
    public static int MaxDecodedLength(int headLength) => 4 * headLength;

    /// <summary>Decodes a <c>name</c> or <c>filename</c>.</summary>
    /// <param name="raw">The parameter's value without quotes.</param>
    /// <param name="quoted">Whether it had quotes, and so may have escapes.</param>
    /// <param name="destination">The result goes to its start; at least three times as long as the value, the rest is working space.</param>
    public static int Decode(ReadOnlySpan<byte> raw, bool quoted, Span<byte> destination)
    {
        if (raw.IndexOfAny((byte)'\\', (byte)'%', (byte)'=') < 0 && Utf8.IsValid(raw))
        {
            raw.CopyTo(destination);
            return raw.Length;
        }

        var work = destination.Slice(2 * raw.Length, raw.Length);
        var length = raw.Length;
        if (quoted)
        {
            length = HeaderParameters.Unescape(raw, work);
        }
        else
        {
            raw.CopyTo(work);
        }

        var text = work[..length];
        if (!Utf8.IsValid(text))
        {
            return ToUtf8(text, destination);
        }

        if (EncodedWords.TryDecode(text, destination, out var decoded))
        {
            return decoded;
        }

        decoded = DecodePercent(text, destination);
        return Utf8.IsValid(destination[..decoded]) ? decoded : ToUtf8(text, destination);
    }

    /// <summary>RFC 8187: <c>charset'language'percent-encoded</c>.</summary>
    public static bool TryDecodeExtended(ReadOnlySpan<byte> raw, Span<byte> destination, out int length)
    {
        length = 0;
        var first = raw.IndexOf((byte)'\'');
        var second = first < 0 ? -1 : raw[(first + 1)..].IndexOf((byte)'\'');
        if (second < 0 || !Charset.TryRecognise(raw[..first], out var charset))
        {
            return false;
        }

        var text = raw[(first + second + 2)..];
        var work = destination.Slice(2 * raw.Length, raw.Length);
        var decoded = PercentDecoding.Decode(text, work, plusIsSpace: false);
        return charset.TryConvert(work[..decoded], destination, out length);
    }

    /// <summary>Copies text that is UTF-8, converts what is not from ISO-8859-1. The destination is twice as long.</summary>
    public static int ToUtf8(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        if (Utf8.IsValid(text))
        {
            text.CopyTo(destination);
            return text.Length;
        }

        return Charset.Latin1.TryConvert(text, destination, out var length) ? length : 0;
    }

    private static int DecodePercent(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        var written = 0;
        for (var i = 0; i < source.Length; i++)
        {
            if (PercentDecoding.TryReadEscape(source[i..], out var decoded) && decoded != 0)
            {
                destination[written++] = decoded;
                i += 2;
            }
            else
            {
                destination[written++] = source[i];
            }
        }

        return written;
    }
}
