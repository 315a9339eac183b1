namespace FastListener.Fuzz.Models;

/// <summary>
/// A multipart body cut at its delimiters, said a second time over bytes that are all there: which delimiters there are, and what lies
/// between them. Knows the lenient forms of the architecture page, but neither limits nor what makes a part's head valid.
/// </summary>
internal sealed class MultipartModel
{
    private const int MaxPadding = 64;

    /// <summary>The contents of each part that has an end.</summary>
    public List<byte[]> Parts { get; } = [];

    public bool FoundDelimiter { get; private set; }

    /// <summary>The closing delimiter is there, or the ending of the Cocoa SDK.</summary>
    public bool IsComplete { get; private set; }

    private enum Kind
    {
        None, Next, Closing, Glued,
    }

    public static MultipartModel Read(ReadOnlySpan<byte> boundary, ReadOnlySpan<byte> body)
    {
        var model = new MultipartModel();
        byte[] dashBoundary = [.. "--"u8, .. boundary];
        byte[] text = [.. "\r\n"u8, .. body];
        var rest = text.AsSpan();
        if (Find(rest, dashBoundary, mayBeGlued: false, out var length) is not (>= 0 and var start, var kind))
        {
            return model;
        }

        model.FoundDelimiter = true;
        rest = rest[(start + length)..];
        var begun = 0;
        while (kind != Kind.Closing)
        {
            var end = rest.StartsWith("\r\n"u8) ? 2 : rest.IndexOf("\r\n\r\n"u8) is >= 0 and var blank ? blank + 4 : -1;
            if (end < 0)
            {
                model.IsComplete = begun > 0 && rest.SequenceEqual("--"u8);
                return model;
            }

            begun++;
            text = [.. "\r\n"u8, .. rest[end..]];
            (start, kind) = Find(text, dashBoundary, IsBreakpadForm(boundary), out length);
            if (start < 0)
            {
                return model;
            }

            model.Parts.Add(text[Math.Min(2, start)..][..Math.Max(0, start - 2)]);
            rest = text.AsSpan(start + length);
        }

        model.IsComplete = true;
        return model;
    }

    private static (int Start, Kind Kind) Find(ReadOnlySpan<byte> text, ReadOnlySpan<byte> dashBoundary, bool mayBeGlued, out int length)
    {
        length = 0;
        for (var from = 0; text[from..].IndexOf(dashBoundary) is >= 0 and var found; from += found + 1)
        {
            var at = from + found;
            var tail = text[(at + dashBoundary.Length)..];
            if (at >= 2 && text[(at - 2)..].StartsWith("\r\n"u8))
            {
                var padding = tail.IndexOfAnyExcept(" \t"u8);
                if (tail.StartsWith("--"u8))
                {
                    length = 2 + dashBoundary.Length + 2;
                    return (at - 2, Kind.Closing);
                }

                if (padding is >= 0 and <= MaxPadding && tail[padding..].StartsWith("\r\n"u8))
                {
                    length = 2 + dashBoundary.Length + padding + 2;
                    return (at - 2, Kind.Next);
                }
            }
            else if (mayBeGlued && tail.StartsWith("\r\nContent-"u8))
            {
                length = dashBoundary.Length + 2; // the head begins with "Content-"
                return (at, Kind.Glued);
            }
        }

        return (-1, Kind.None);
    }

    private static bool IsBreakpadForm(ReadOnlySpan<byte> boundary)
    {
        var dashes = boundary.IndexOfAnyExcept((byte)'-');
        return boundary.Length == 43 && dashes == 27 && Convert.FromHexString(System.Text.Encoding.Latin1.GetString(boundary[27..]), new byte[8], out _, out _) == System.Buffers.OperationStatus.Done;
    }
}
