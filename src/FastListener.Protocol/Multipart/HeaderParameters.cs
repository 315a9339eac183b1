using System.Text;
using FastListener.Protocol.Http;

namespace FastListener.Protocol.Multipart;

/// <summary>
/// Walks the <c>; name=value</c> parameters of a Content-Type or Content-Disposition. A quote ends a quoted value only where a <c>;</c> or
/// the end follows: clients that do not escape quotes inside names then lose nothing. A quote behind an odd number of backslashes is an
/// escaped one, unless no other quote could end the value: then it is a Windows path that ends with a backslash.
/// </summary>
internal ref struct HeaderParameters(ReadOnlySpan<byte> parameters)
{
    private const int MaxParameters = 32; // real clients send two; keeps hostile quoting from costing quadratic time

    private ReadOnlySpan<byte> _rest = parameters;
    private int _count;

    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>The value without its quotes, escapes not yet undone.</summary>
    public ReadOnlySpan<byte> RawValue { get; private set; }

    public bool IsQuoted { get; private set; }

    /// <summary>A quoted value has no end, or there are too many parameters.</summary>
    public bool Malformed { get; private set; }

    /// <summary>Splits a field value at its first <c>;</c>.</summary>
    public static HeaderParameters Of(ReadOnlySpan<byte> fieldValue, out ReadOnlySpan<byte> type)
    {
        var semicolon = fieldValue.IndexOf((byte)';');
        type = FieldGrammar.TrimOws(semicolon < 0 ? fieldValue : fieldValue[..semicolon]);
        return new(semicolon < 0 ? default : fieldValue[(semicolon + 1)..]);
    }

    public readonly bool NameIs(ReadOnlySpan<byte> lowerCase) => Ascii.EqualsIgnoreCase(Name, lowerCase);

    public bool MoveNext()
    {
        while (!_rest.IsEmpty)
        {
            var end = _rest.IndexOfAny((byte)'=', (byte)';');
            if (end < 0)
            {
                return false;
            }

            Name = FieldGrammar.TrimOws(_rest[..end]);
            var hasValue = _rest[end] == '=';
            _rest = _rest[(end + 1)..];
            if (hasValue)
            {
                Malformed |= ++_count > MaxParameters || !TakeValue();
                return !Malformed;
            }
        }

        return false;
    }

    /// <summary>Undoes the escapes of a quoted value in place of a copy.</summary>
    /// <param name="raw">The text between the quotes.</param>
    /// <param name="destination">At least as long.</param>
    public static int Unescape(ReadOnlySpan<byte> raw, Span<byte> destination)
    {
        // Windows paths come with single backslashes. Only text in which every backslash escapes something was written by an escaper.
        var escaped = EveryBackslashEscapes(raw);
        var written = 0;
        for (var i = 0; i < raw.Length; i++)
        {
            if (raw[i] == '\\' && i + 1 < raw.Length && (raw[i + 1] == '"' || (escaped && raw[i + 1] == '\\')))
            {
                i++;
            }

            destination[written++] = raw[i];
        }

        return written;
    }

    private static bool EveryBackslashEscapes(ReadOnlySpan<byte> raw)
    {
        for (var i = raw.IndexOf((byte)'\\'); i >= 0 && i < raw.Length; i++)
        {
            if (raw[i] == '\\' && (++i == raw.Length || raw[i] is not ((byte)'\\' or (byte)'"')))
            {
                return false;
            }
        }

        return true;
    }

    private bool TakeValue()
    {
        var start = _rest.IndexOfAnyExcept((byte)' ', (byte)'\t');
        IsQuoted = start >= 0 && _rest[start] == '"';
        if (!IsQuoted)
        {
            var semicolon = _rest.IndexOf((byte)';');
            RawValue = FieldGrammar.TrimOws(semicolon < 0 ? _rest : _rest[..semicolon]);
            _rest = semicolon < 0 ? default : _rest[(semicolon + 1)..];
            return true;
        }

        _rest = _rest[(start + 1)..];
        var close = ClosingQuote(_rest);
        if (close < 0)
        {
            return false;
        }

        RawValue = _rest[..close];
        var next = _rest[close..].IndexOf((byte)';');
        _rest = next < 0 ? default : _rest[(close + next + 1)..];
        return true;
    }

    private static int ClosingQuote(ReadOnlySpan<byte> text)
    {
        var escapedCandidate = -1;
        for (var at = 0; at < text.Length; at++)
        {
            var found = text[at..].IndexOf((byte)'"');
            if (found < 0)
            {
                break;
            }

            at += found;
            var after = text[(at + 1)..].IndexOfAnyExcept((byte)' ', (byte)'\t');
            if (after >= 0 && text[at + 1 + after] != ';')
            {
                continue;
            }

            var backslashes = at - 1 - text[..at].LastIndexOfAnyExcept((byte)'\\');
            if (backslashes % 2 == 0)
            {
                return at;
            }

            escapedCandidate = escapedCandidate < 0 ? at : escapedCandidate;
        }

        return escapedCandidate;
    }
}
