namespace FastListener.Protocol.Text;

/// <summary>Percent-decoding (RFC 3986 2.1) as the URL standard does it: what is not a valid escape stays as it is.</summary>
public static class PercentDecoding
{
    /// <summary>Decodes <paramref name="source"/>.</summary>
    /// <param name="source">Encoded bytes; any byte may occur.</param>
    /// <param name="destination">At least as long as <paramref name="source"/>; may be the same memory from the same start.</param>
    /// <param name="plusIsSpace">Whether <c>+</c> means a space, as in a query.</param>
    /// <returns>How many bytes were written; never more than the source has.</returns>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public static int Decode(ReadOnlySpan<byte> source, Span<byte> destination, bool plusIsSpace)
    {
        if (destination.Length < source.Length)
        {
            throw new ArgumentException("The destination must be as long as the source.", nameof(destination));
        }

        var written = 0;
        while (true)
        {
            var special = plusIsSpace ? source.IndexOfAny((byte)'%', (byte)'+') : source.IndexOf((byte)'%');
            var plain = special < 0 ? source.Length : special;
            source[..plain].CopyTo(destination[written..]);
            written += plain;
            if (special < 0)
            {
                return written;
            }

            source = source[plain..];
            if (source[0] == '+')
            {
                destination[written++] = (byte)' ';
                source = source[1..];
            }
            else if (TryReadEscape(source, out var decoded))
            {
                destination[written++] = decoded;
                source = source[3..];
            }
            else
            {
                destination[written++] = (byte)'%';
                source = source[1..];
            }
        }
    }

    internal static bool TryReadEscape(ReadOnlySpan<byte> source, out byte decoded)
    {
        decoded = 0;
        if (source.Length < 3 || source[0] != '%' || !char.IsAsciiHexDigit((char)source[1]) || !char.IsAsciiHexDigit((char)source[2]))
        {
            return false;
        }

        decoded = (byte)((HexValue(source[1]) << 4) | HexValue(source[2]));
        return true;
    }

    internal static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
