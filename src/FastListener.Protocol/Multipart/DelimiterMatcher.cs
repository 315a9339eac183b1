namespace FastListener.Protocol.Multipart;

/// <summary>What bytes that begin like a delimiter turned out to be.</summary>
internal enum DelimiterVerdict : byte
{
    /// <summary>Not a delimiter, whatever follows: data.</summary>
    Data,

    /// <summary>So far like a delimiter; more bytes decide.</summary>
    Open,

    /// <summary><c>CRLF--B</c>, blanks, <c>CRLF</c>: a part follows.</summary>
    Next,

    /// <summary><c>CRLF--B--</c>: the end.</summary>
    Closing,

    /// <summary><c>--B CRLF Content-</c> without a CRLF before it (Breakpad on macOS): a part follows, its head begun.</summary>
    Glued,
}

/// <summary>
/// Knows the delimiters of one boundary. A boundary followed by anything but <c>--</c> or blanks and a line end is data, although RFC 2046
/// 5.1.1 would let a prefix match count: a dump may hold such bytes, and must not end there.
/// </summary>
internal sealed class DelimiterMatcher
{
    /// <summary>Transport padding (RFC 2046 5.1.1) beyond this is data; no client sends any.</summary>
    public const int MaxPadding = 64;

    /// <summary>The longest run of bytes that can stay undecided.</summary>
    public const int MaxOpenBytes = Boundary.MaxBytes + MaxPadding + 16;

    /// <summary>What the parser feeds itself as the start of a glued part's head.</summary>
    public static ReadOnlySpan<byte> GluedHead => "Content-"u8;

    private readonly byte[] _bytes = new byte[4 + Boundary.MaxBytes + 10];
    private int _length;
    private int _gluedLength; // 0 when this boundary form is never glued

    /// <summary><c>CRLF--B</c>.</summary>
    public ReadOnlySpan<byte> Delimiter => _bytes.AsSpan(0, _length);

    private ReadOnlySpan<byte> DashBoundary => _bytes.AsSpan(2, _length - 2);

    private ReadOnlySpan<byte> Glued => _bytes.AsSpan(2, _gluedLength);

    public void Reset(ReadOnlySpan<byte> boundary)
    {
        "\r\n--"u8.CopyTo(_bytes);
        boundary.CopyTo(_bytes.AsSpan(4));
        _length = 4 + boundary.Length;
        "\r\nContent-"u8.CopyTo(_bytes.AsSpan(_length));
        _gluedLength = IsBreakpadForm(boundary) ? _length - 2 + 10 : 0;
    }

    /// <summary>Finds the first place in a window that is or may become a delimiter.</summary>
    /// <returns>Its start, or the window's length with <see cref="DelimiterVerdict.Data"/> when all of it is data.</returns>
    public int Find(ReadOnlySpan<byte> window, bool allowGlued, out DelimiterVerdict verdict)
    {
        allowGlued &= _gluedLength > 0;
        var needle = allowGlued ? DashBoundary : Delimiter;
        var from = 0;
        while (true)
        {
            var found = window[from..].IndexOf(needle);
            if (found < 0)
            {
                break;
            }

            var start = from + found;
            from = start + 1;
            if (allowGlued && start >= 2 && window[start - 2] == '\r' && window[start - 1] == '\n')
            {
                start -= 2;
            }

            verdict = Judge(window[start..], allowGlued);
            if (verdict != DelimiterVerdict.Data)
            {
                return start;
            }
        }

        return FindOpenEnd(window, allowGlued, out verdict);
    }

    /// <summary>Judges bytes that stand at the start of a possible delimiter.</summary>
    public DelimiterVerdict Judge(ReadOnlySpan<byte> window, bool allowGlued)
    {
        if (window[0] == '\r')
        {
            return window.Length >= _length
                ? window.StartsWith(Delimiter) ? JudgeTail(window[_length..]) : DelimiterVerdict.Data
                : Delimiter.StartsWith(window) ? DelimiterVerdict.Open : DelimiterVerdict.Data;
        }

        if (!allowGlued || _gluedLength == 0)
        {
            return DelimiterVerdict.Data;
        }

        return window.Length >= _gluedLength
            ? window.StartsWith(Glued) ? DelimiterVerdict.Glued : DelimiterVerdict.Data
            : Glued.StartsWith(window) ? DelimiterVerdict.Open : DelimiterVerdict.Data;
    }

    /// <summary>How many bytes a delimiter takes that was judged <see cref="DelimiterVerdict.Next"/>, Closing or Glued.</summary>
    public int LengthOf(ReadOnlySpan<byte> window, DelimiterVerdict verdict) => verdict switch
    {
        DelimiterVerdict.Next => _length + window[_length..].IndexOf((byte)'\n') + 1,
        DelimiterVerdict.Closing => _length + 2,
        _ => _gluedLength,
    };

    /// <summary>How many more bytes may be taken of what is still open, at least one, without going beyond the delimiter that it may become.</summary>
    public int LeastToDecide(ReadOnlySpan<byte> open) => Math.Max(1, (open[0] == '\r' ? _length : _gluedLength) - open.Length);

    private static DelimiterVerdict JudgeTail(ReadOnlySpan<byte> tail)
    {
        if (tail.IsEmpty)
        {
            return DelimiterVerdict.Open;
        }

        if (tail[0] == '-')
        {
            return tail.Length == 1 ? DelimiterVerdict.Open : tail[1] == '-' ? DelimiterVerdict.Closing : DelimiterVerdict.Data;
        }

        var padding = tail.IndexOfAnyExcept((byte)' ', (byte)'\t');
        padding = padding < 0 ? tail.Length : padding;
        if (padding > MaxPadding)
        {
            return DelimiterVerdict.Data;
        }

        var end = tail[padding..];
        return end.IsEmpty ? DelimiterVerdict.Open
            : end[0] != '\r' ? DelimiterVerdict.Data
            : end.Length == 1 ? DelimiterVerdict.Open
            : end[1] == '\n' ? DelimiterVerdict.Next
            : DelimiterVerdict.Data;
    }

    /// <summary>No whole delimiter is in the window; its end may still hold the start of one.</summary>
    private int FindOpenEnd(ReadOnlySpan<byte> window, bool allowGlued, out DelimiterVerdict verdict)
    {
        var at = Math.Max(0, window.Length - (allowGlued ? _gluedLength : _length) + 1);
        while (at < window.Length)
        {
            var found = allowGlued ? window[at..].IndexOfAny((byte)'\r', (byte)'-') : window[at..].IndexOf((byte)'\r');
            if (found < 0)
            {
                break;
            }

            at += found;
            if (Judge(window[at..], allowGlued) == DelimiterVerdict.Open)
            {
                verdict = DelimiterVerdict.Open;
                return at;
            }

            at++;
        }

        verdict = DelimiterVerdict.Data;
        return window.Length;
    }

    /// <summary>27 dashes and 16 hexadecimal digits: Breakpad on Windows and macOS.</summary>
    private static bool IsBreakpadForm(ReadOnlySpan<byte> boundary) =>
        boundary.Length == 43 && !boundary[..27].ContainsAnyExcept((byte)'-') && IsHex(boundary[27..]);

    private static bool IsHex(ReadOnlySpan<byte> digits)
    {
        foreach (var digit in digits)
        {
            if (!char.IsAsciiHexDigit((char)digit))
            {
                return false;
            }
        }

        return true;
    }
}
