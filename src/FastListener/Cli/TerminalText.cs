using System.Buffers;
using System.Globalization;
using System.Text;

namespace FastListener.Cli;

/// <summary>Text from the wire on its way to a terminal: nothing in it may move the cursor, hide, reorder or end a line.</summary>
internal static class TerminalText
{
    private static readonly SearchValues<char> PlainAscii =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c)]);

    /// <summary>
    /// The text with control characters, invisible format characters (among them those that reverse the direction of
    /// writing), line separators and halves of surrogate pairs written as escapes.
    /// </summary>
    public static string Escape(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(PlainAscii))
        {
            return text;
        }

        var escaped = new StringBuilder(text.Length + 16);
        for (var i = 0; i < text.Length;)
        {
            if (Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var used) is not OperationStatus.Done)
            {
                escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}");
            }
            else if (IsPrintable(rune))
            {
                escaped.Append(text, i, used);
            }
            else
            {
                _ = rune.Value switch
                {
                    '\n' => escaped.Append("\\n"),
                    '\r' => escaped.Append("\\r"),
                    '\t' => escaped.Append("\\t"),
                    <= 0xFF => escaped.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}"),
                    <= 0xFFFF => escaped.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}"),
                    _ => escaped.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}"),
                };
            }

            i += used;
        }

        return escaped.ToString();
    }

    /// <summary>At most <paramref name="length"/> characters, the last an ellipsis when something was cut.</summary>
    public static string Shorten(string text, int length)
    {
        if (text.Length <= length)
        {
            return text;
        }

        var end = char.IsHighSurrogate(text[length - 2]) ? length - 2 : length - 1;
        return string.Concat(text.AsSpan(0, end), "…");
    }

    /// <summary>A size as people read it: <c>999 B</c>, <c>1.0 KiB</c>, <c>1.2 GiB</c>.</summary>
    public static string Size(long bytes)
    {
        string[] units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
        if (bytes < 1024)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{bytes} B");
        }

        var value = bytes / 1024.0;
        var unit = 0;
        while (value >= 1023.95 && unit < units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {units[unit]}");
    }

    /// <summary>UTC, ISO 8601, to the millisecond.</summary>
    public static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>The same without the milliseconds, where room is short.</summary>
    public static string TimeToSeconds(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary><c>1 object</c>, <c>2 objects</c>.</summary>
    public static string Count(long count, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{(count == 1 ? "" : "s")}");

    private static bool IsPrintable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned);
}
