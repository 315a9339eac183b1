using System.Buffers;
using System.Text;
using FastListener.Protocol.Http;

namespace FastListener.Protocol.Multipart;

/// <summary>
/// What the header lines of one part say. Texts are valid UTF-8 without NUL, decoded from whatever form the client chose (see
/// <see cref="ParameterText"/>), and may hold any other character, CR, LF and path separators included. All spans live until the parser's
/// next part begins.
/// </summary>
public sealed class PartHeaders : IDisposable
{
    /// <summary>What <see cref="ParameterText.Decode"/> leaves as it is, wherever it stands.</summary>
    private static readonly SearchValues<byte> Plain = SearchValues.Create("-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private byte[] _text = [];
    private int _used;
    private TextPlace _name;
    private TextPlace _fileName;
    private TextPlace _contentType;

    internal PartHeaders()
    {
    }

    /// <summary>Whether a <c>name</c> parameter was sent.</summary>
    public bool HasName => _name.Present;

    /// <summary>Whether a <c>filename</c> parameter was sent, empty or not.</summary>
    public bool HasFileName => _fileName.Present;

    /// <summary>The field's name; empty when there is none.</summary>
    public ReadOnlySpan<byte> Name => Text(_name);

    /// <summary>The file name as the client gave it, possibly a whole POSIX or Windows path; empty when there is none. Never a path to use.</summary>
    public ReadOnlySpan<byte> FileName => Text(_fileName);

    /// <summary>What follows the last <c>/</c> or <c>\</c> of the file name. Only a name for display: <c>..</c> is possible.</summary>
    public ReadOnlySpan<byte> BaseName => FileName[(FileName.LastIndexOfAny((byte)'/', (byte)'\\') + 1)..];

    /// <summary>What identifies the part: the name, or the file name when there is no name (Unity).</summary>
    public ReadOnlySpan<byte> Key => Name.IsEmpty ? FileName : Name;

    /// <summary>The part's Content-Type as sent (<c>null</c> included, which Android sends literally); empty when there is none.</summary>
    public ReadOnlySpan<byte> ContentType => Text(_contentType);

    /// <summary>Whether the part's bytes are its content.</summary>
    public PartTransferEncoding TransferEncoding { get; private set; }

    /// <summary>Gives the buffer back.</summary>
    public void Dispose()
    {
        Clear();
        if (_text.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_text);
            _text = [];
        }
    }

    /// <summary>Where the empty line that ends a head ends, or -1. Bytes before <paramref name="searched"/> have been looked at.</summary>
    internal static int EndOf(ReadOnlySpan<byte> head, int searched)
    {
        if (head.StartsWith("\r\n"u8))
        {
            return 2;
        }

        var from = Math.Max(0, searched - 3);
        var found = head[from..].IndexOf("\r\n\r\n"u8);
        return found < 0 ? -1 : from + found + 4;
    }

    internal void Clear()
    {
        _used = 0;
        _name = _fileName = _contentType = default;
        TransferEncoding = PartTransferEncoding.Identity;
    }

    /// <summary>Reads the header lines, each with its CR LF, without the empty line that ends them. Unfolds in place.</summary>
    /// <returns>False when they are malformed or ambiguous.</returns>
    internal bool TryRead(Span<byte> head)
    {
        Clear();
        EnsureText(ParameterText.MaxDecodedLength(head.Length));
        if (TryReadUsual(head))
        {
            return true;
        }

        var disposition = false;
        var transferEncoding = false;
        while (!head.IsEmpty)
        {
            var end = EndOfLine(head);
            if (end < 0)
            {
                return false;
            }

            var colon = head[..end].IndexOf((byte)':');
            if (colon < 1 || head[..colon].ContainsAnyExcept(FieldGrammar.Token))
            {
                return false;
            }

            var name = head[..colon];
            var value = FieldGrammar.TrimOws(head[(colon + 1)..end]);
            var valid = name.Length switch
            {
                19 when Is(name, "content-disposition"u8) => TakeOnce(ref disposition) && ReadDisposition(value),
                12 when Is(name, "content-type"u8) => ReadContentType(value),
                25 when Is(name, "content-transfer-encoding"u8) => TakeOnce(ref transferEncoding) && ReadTransferEncoding(value),
                _ => true,
            };
            if (!valid)
            {
                return false;
            }

            head = head[(end + 2)..];
        }

        return true;
    }

    /// <summary>
    /// The head of nearly every field of nearly every client, for less: one line, one name, nothing in it to decode. Says what
    /// the grammar would say.
    /// </summary>
    private bool TryReadUsual(ReadOnlySpan<byte> head)
    {
        var beginning = "Content-Disposition: form-data; name=\""u8;
        if (!head.StartsWith(beginning))
        {
            return false;
        }

        head = head[beginning.Length..];
        var length = head.IndexOfAnyExcept(Plain);
        if (length < 0 || !head[length..].SequenceEqual("\"\r\n"u8))
        {
            return false;
        }

        head[..length].CopyTo(_text);
        Keep(length, ref _name);
        return true;
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lowerCase) => Ascii.EqualsIgnoreCase(name, lowerCase);

    private static bool TakeOnce(ref bool seen)
    {
        var first = !seen;
        seen = true;
        return first;
    }

    /// <summary>Finds the CR LF that ends the line, after turning folds (RFC 5322 2.2.3) into blanks. Negative for a stray CR, LF or NUL.</summary>
    private static int EndOfLine(Span<byte> head)
    {
        for (var from = 0; ;)
        {
            var found = head[from..].IndexOfAny((byte)'\r', (byte)'\n', (byte)0);
            if (found < 0 || head[from + found] != '\r' || from + found + 1 == head.Length || head[from + found + 1] != '\n')
            {
                return -1;
            }

            var end = from + found;
            if (end + 2 == head.Length || head[end + 2] is not ((byte)' ' or (byte)'\t'))
            {
                return end;
            }

            head.Slice(end, 2).Fill((byte)' ');
            from = end + 2;
        }
    }

    private bool ReadDisposition(ReadOnlySpan<byte> value)
    {
        var parameters = HeaderParameters.Of(value, out _); // form-data, or file from old Unity versions: it changes nothing
        TextPlace extendedName = default;
        TextPlace extendedFileName = default;
        while (parameters.MoveNext())
        {
            var valid = parameters.Name.Length switch
            {
                4 when parameters.NameIs("name"u8) => TakeText(parameters, ref _name),
                5 when parameters.NameIs("name*"u8) => TakeExtended(parameters, ref extendedName),
                8 when parameters.NameIs("filename"u8) => TakeText(parameters, ref _fileName),
                9 when parameters.NameIs("filename*"u8) => TakeExtended(parameters, ref extendedFileName),
                _ => true,
            };
            if (!valid)
            {
                return false;
            }
        }

        _name = extendedName.Present ? extendedName : _name;
        _fileName = extendedFileName.Present ? extendedFileName : _fileName;
        return !parameters.Malformed;
    }

    private bool ReadContentType(ReadOnlySpan<byte> value)
    {
        if (_contentType.Present)
        {
            return false;
        }

        var length = ParameterText.ToUtf8(value, _text.AsSpan(_used));
        Keep(length, ref _contentType);
        return true;
    }

    private bool ReadTransferEncoding(ReadOnlySpan<byte> value)
    {
        TransferEncoding =
            Is(value, "7bit"u8) || Is(value, "8bit"u8) || Is(value, "binary"u8) || value.IsEmpty ? PartTransferEncoding.Identity
            : Is(value, "base64"u8) ? PartTransferEncoding.Base64
            : Is(value, "quoted-printable"u8) ? PartTransferEncoding.QuotedPrintable
            : PartTransferEncoding.Other;
        return true;
    }

    private bool TakeText(in HeaderParameters parameter, ref TextPlace place)
    {
        if (place.Present)
        {
            return false; // which of the two is meant?
        }

        Keep(ParameterText.Decode(parameter.RawValue, parameter.IsQuoted, _text.AsSpan(_used)), ref place);
        return true;
    }

    private bool TakeExtended(in HeaderParameters parameter, ref TextPlace place)
    {
        if (place.Present)
        {
            return false;
        }

        if (ParameterText.TryDecodeExtended(parameter.RawValue, _text.AsSpan(_used), out var length))
        {
            Keep(length, ref place);
        }

        return true;
    }

    private void Keep(int length, ref TextPlace place)
    {
        place = new(_used, length, Present: true);
        _used += length;
    }

    private ReadOnlySpan<byte> Text(TextPlace place) => _text.AsSpan(place.Start, place.Length);

    private void EnsureText(int bytes)
    {
        if (_text.Length < bytes)
        {
            Dispose();
            _text = ArrayPool<byte>.Shared.Rent(bytes);
        }
    }

    private readonly record struct TextPlace(int Start, int Length, bool Present);
}
