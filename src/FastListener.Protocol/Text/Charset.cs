using System.Text;
using System.Text.Unicode;

namespace FastListener.Protocol.Text;

/// <summary>The charsets that part names come in, and their way to UTF-8 without NUL.</summary>
internal readonly record struct Charset
{
    private readonly bool _latin1;

    private Charset(bool latin1) => _latin1 = latin1;

    public static Charset Latin1 { get; } = new(latin1: true);

    /// <summary>Recognises a charset's name, in any case, with or without a language behind <c>*</c> (RFC 2231 5).</summary>
    public static bool TryRecognise(ReadOnlySpan<byte> name, out Charset charset)
    {
        var language = name.IndexOf((byte)'*');
        name = language < 0 ? name : name[..language];
        charset = default;
        if (Ascii.EqualsIgnoreCase(name, "iso-8859-1"u8) || Ascii.EqualsIgnoreCase(name, "latin1"u8))
        {
            charset = Latin1;
            return true;
        }

        return Ascii.EqualsIgnoreCase(name, "utf-8"u8) || Ascii.EqualsIgnoreCase(name, "us-ascii"u8) || Ascii.EqualsIgnoreCase(name, "utf8"u8);
    }

    /// <summary>Writes <paramref name="text"/> as UTF-8; the destination has twice its length. False when it is not text of this charset.</summary>
    public bool TryConvert(ReadOnlySpan<byte> text, Span<byte> destination, out int written)
    {
        written = 0;
        if (text.Contains((byte)0))
        {
            return false;
        }

        if (!_latin1)
        {
            if (!Utf8.IsValid(text))
            {
                return false;
            }

            text.CopyTo(destination);
            written = text.Length;
            return true;
        }

        foreach (var b in text)
        {
            if (b < 0x80)
            {
                destination[written++] = b;
            }
            else
            {
                destination[written++] = (byte)(0xC0 | (b >> 6));
                destination[written++] = (byte)(0x80 | (b & 0x3F));
            }
        }

        return true;
    }
}
