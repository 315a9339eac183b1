using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;

namespace FastListener.Protocol.Text;

/// <summary>
/// RFC 2047 encoded words (<c>=?utf-8?B?…?=</c>), which .NET clients put into <c>name</c> and <c>filename</c> of a part. Charsets: UTF-8,
/// US-ASCII, ISO-8859-1. A word of another charset, or one that does not decode to text without NUL, is left as it is.
/// </summary>
public static class EncodedWords
{
    /// <summary>How long the destination must be for a source of this length: ISO-8859-1 can double.</summary>
    /// <param name="sourceLength">Bytes of the source.</param>
    /// <returns>Bytes of the destination.</returns>
    public static int MaxDecodedLength(int sourceLength) => 2 * sourceLength;

    /// <summary>Decodes every encoded word; text between words stays, except blanks between two adjacent words (RFC 2047 6.2).</summary>
    /// <param name="source">Text with words in it.</param>
    /// <param name="destination">At least <see cref="MaxDecodedLength"/> bytes; must not overlap the source.</param>
    /// <param name="written">Bytes of UTF-8 written; 0 when nothing was decoded.</param>
    /// <returns>True when at least one word was decoded; otherwise the destination's content is of no use.</returns>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public static bool TryDecode(ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        if (destination.Length < MaxDecodedLength(source.Length))
        {
            throw new ArgumentException("The destination must be twice as long as the source.", nameof(destination));
        }

        written = 0;
        var any = false;
        var afterWord = false;
        while (true)
        {
            var start = source.IndexOf("=?"u8);
            if (start < 0)
            {
                source.CopyTo(destination[written..]);
                written = any ? written + source.Length : 0;
                return any;
            }

            var between = source[..start];
            if (TryDecodeWord(source[start..], destination[(written + start)..], out var length, out var decoded))
            {
                var joined = afterWord && !between.ContainsAnyExcept((byte)' ', (byte)'\t');
                if (joined)
                {
                    destination.Slice(written + start, decoded).CopyTo(destination[written..]);
                }
                else
                {
                    between.CopyTo(destination[written..]);
                    written += start;
                }

                written += decoded;
                any = afterWord = true;
                source = source[(start + length)..];
            }
            else
            {
                source[..(start + 2)].CopyTo(destination[written..]);
                written += start + 2;
                afterWord = false;
                source = source[(start + 2)..];
            }
        }
    }

    /// <summary>Reads <c>=?charset[*lang]?encoding?text?=</c> at the start of the source.</summary>
    private static bool TryDecodeWord(ReadOnlySpan<byte> source, Span<byte> destination, out int length, out int decoded)
    {
        length = decoded = 0;
        var rest = source[2..];
        var charsetEnd = rest.IndexOf((byte)'?');
        if (charsetEnd < 1 || rest.Length < charsetEnd + 3 || rest[charsetEnd + 2] != '?')
        {
            return false;
        }

        var encoding = rest[charsetEnd + 1] | 0x20;
        var text = rest[(charsetEnd + 3)..];
        var end = text.IndexOf("?="u8);
        if (end < 0 || encoding is not ('b' or 'q') || !Charset.TryRecognise(rest[..charsetEnd], out var charset))
        {
            return false;
        }

        length = 2 + charsetEnd + 3 + end + 2;
        text = text[..end];
        var scratch = ArrayPool<byte>.Shared.Rent(Math.Max(text.Length, 1));
        try
        {
            var valid = encoding == 'b'
                ? Base64.DecodeFromUtf8(text, scratch, out _, out var bytes) == OperationStatus.Done
                : TryDecodeQ(text, scratch, out bytes);
            return valid && charset.TryConvert(scratch.AsSpan(0, bytes), destination, out decoded);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    private static bool TryDecodeQ(ReadOnlySpan<byte> text, Span<byte> destination, out int written)
    {
        written = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var b = text[i];
            if (b == '=')
            {
                if (i + 2 >= text.Length || !char.IsAsciiHexDigit((char)text[i + 1]) || !char.IsAsciiHexDigit((char)text[i + 2]))
                {
                    return false;
                }

                b = (byte)((PercentDecoding.HexValue(text[i + 1]) << 4) | PercentDecoding.HexValue(text[i + 2]));
                i += 2;
            }
            else if (b == '_')
            {
                b = (byte)' ';
            }

            destination[written++] = b;
        }

        return true;
    }
}
