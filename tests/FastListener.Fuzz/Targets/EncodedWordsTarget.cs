using System.Text;
using System.Text.Unicode;
using FastListener.Fuzz.Checks;
using FastListener.Fuzz.Running;
using FastListener.Protocol.Text;

namespace FastListener.Fuzz.Targets;

/// <summary>RFC 2047 words. Selectors: style (1 byte), cut (2 bytes).</summary>
internal sealed class EncodedWordsTarget : IFuzzTarget
{
    public string Name => "encoded-words";

    public void Run(ReadOnlySpan<byte> input)
    {
        var selectors = new FuzzInput(input);
        var style = selectors.Byte();
        var cut = selectors.UInt16();
        var source = selectors.Rest;
        var text = Decode(source);
        Invariant.Holds(text is null || source.IndexOf("=?"u8) >= 0, "Where no word begins, none is decoded.");
        Invariant.Holds(text is null || !Utf8.IsValid(source) || Utf8.IsValid(text), "What was UTF-8 stays UTF-8.");
        Invariant.Holds(text is null || source.Contains((byte)0) || !text.Contains((byte)0), "No word brings in a NUL.");
        if (text is null)
        {
            // Text around a word changes nothing about it.
            byte[] framed = [.. source, .. " =?us-ascii?q?end?="u8];
            var whole = Decode(framed);
            Invariant.Holds(whole is not null && whole.AsSpan().EndsWith("end"u8), "A word is found behind anything that is none.");
        }

        RoundTrip(source, style, cut);
    }

    private static byte[]? Decode(ReadOnlySpan<byte> source)
    {
        var guarded = new byte[EncodedWords.MaxDecodedLength(source.Length) + 1];
        guarded[^1] = 0xA5;
        var any = EncodedWords.TryDecode(source, guarded.AsSpan(0, guarded.Length - 1), out var written);
        Invariant.Holds(guarded[^1] == 0xA5 && written >= 0 && written < guarded.Length, "Nothing is written behind the destination.");
        Invariant.Holds(any || written == 0, "Without a word nothing is written.");
        return any ? guarded[..written] : null;
    }

    private static void RoundTrip(ReadOnlySpan<byte> text, byte style, int cut)
    {
        var latin1 = (style & 1) != 0;
        if (text.Contains((byte)0) || (!latin1 && !Utf8.IsValid(text)))
        {
            return;
        }

        cut %= text.Length + 1;
        while (!latin1 && cut < text.Length && (text[cut] & 0xC0) == 0x80)
        {
            cut++; // RFC 2047 5: no character is spread over two words
        }

        var charset = latin1 ? "ISO-8859-1" : (style & 2) != 0 ? "utf-8*en" : "UTF-8";
        var words = Word(text[..cut], charset, (style & 4) != 0) + ((style & 8) != 0 ? " \t " : "") + Word(text[cut..], charset, (style & 16) != 0);
        var decoded = Decode(Encoding.ASCII.GetBytes("a " + words + " b"));
        var expected = latin1 ? Encoding.UTF8.GetBytes("a " + Encoding.Latin1.GetString(text) + " b") : [.. "a "u8, .. text, .. " b"u8];
        Invariant.Holds(decoded is not null && decoded.AsSpan().SequenceEqual(expected), "What was encoded comes out again.");
    }

    private static string Word(ReadOnlySpan<byte> text, string charset, bool quoted)
    {
        var word = new StringBuilder("=?").Append(charset).Append(quoted ? "?q?" : "?B?");
        if (!quoted)
        {
            return word.Append(Convert.ToBase64String(text)).Append("?=").ToString();
        }

        foreach (var b in text)
        {
            _ = char.IsAsciiLetterOrDigit((char)b) ? word.Append((char)b) : b == ' ' ? word.Append('_')
                : word.Append(System.Globalization.CultureInfo.InvariantCulture, $"={b:X2}");
        }

        return word.Append("?=").ToString();
    }
}
