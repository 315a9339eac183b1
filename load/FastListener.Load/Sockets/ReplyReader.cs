using System.Buffers.Text;

namespace FastListener.Load.Sockets;

/// <summary>Reads one answer at a time: status, length, and as much of the body as fits. Enough for the short answers these servers give.</summary>
internal sealed class ReplyReader
{
    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(8192, pinned: true);
    private int _count;
    private int _bodyStart;
    private long _bodyLength;
    private long _skipped;
    private bool _chunked;

    public int Status { get; private set; }

    /// <summary>The server said that it closes after this answer.</summary>
    public bool Closes { get; private set; }

    /// <summary>Where the next bytes go.</summary>
    public Span<byte> Free => _bytes.AsSpan(_count);

    /// <summary>The body, or its first 8 KiB.</summary>
    public ReadOnlySpan<byte> Body => Status == 0 ? default : _bytes.AsSpan(_bodyStart, (int)Math.Min(_count - _bodyStart, Math.Max(0, _bodyLength)));

    public void Reset()
    {
        _count = 0;
        _bodyStart = 0;
        _skipped = 0;
        _chunked = false;
        Status = 0;
        Closes = false;
    }

    /// <summary>Takes <paramref name="count"/> bytes that were written to <see cref="Free"/>; true when the answer is whole. <see cref="InvalidDataException"/>: it is none, or too long a one.</summary>
    public bool Take(int count)
    {
        _count += count;
        while (true)
        {
            if (Status == 0 && !TryReadHead())
            {
                return false;
            }

            if (Status >= 200)
            {
                break;
            }

            // An interim answer (100 Continue): drop it and read on.
            _bytes.AsSpan(_bodyStart, _count - _bodyStart).CopyTo(_bytes);
            _count -= _bodyStart;
            Status = 0;
        }

        if (_chunked)
        {
            var ended = _bytes.AsSpan(_bodyStart, _count - _bodyStart).EndsWith("0\r\n\r\n"u8);
            return ended || _count < _bytes.Length ? ended : throw new InvalidDataException("The chunked answer does not fit into 8 KiB.");
        }

        var have = _count - _bodyStart + _skipped;
        if (_count == _bytes.Length && have < _bodyLength)
        {
            var keep = _bodyStart + ((_bytes.Length - _bodyStart) / 2);
            _skipped += _count - keep;
            _count = keep;
        }

        return have >= _bodyLength;
    }

    /// <summary>Copies the id of the object that the answer names; false when it names none, or when nothing can follow on this connection.</summary>
    public bool TryCopyObjectId(Span<byte> to)
    {
        var field = "\"_rxid\":\""u8;
        var at = Body.IndexOf(field);
        if (Closes || at < 0 || Body.Length < at + field.Length + RequestTemplate.ObjectIdLength)
        {
            return false;
        }

        Body.Slice(at + field.Length, RequestTemplate.ObjectIdLength).CopyTo(to);
        return true;
    }

    private bool TryReadHead()
    {
        var span = _bytes.AsSpan(0, _count);
        var end = span.IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            if (_count == _bytes.Length)
            {
                throw new InvalidDataException("The answer's head does not fit into 8 KiB.");
            }

            return false;
        }

        if (!span.StartsWith("HTTP/1."u8) || end < 12 || !Utf8Parser.TryParse(span.Slice(9, 3), out int status, out _))
        {
            throw new InvalidDataException("That is no HTTP/1 answer.");
        }

        Status = status;
        Closes = span[7] == (byte)'0';
        _bodyStart = end + 4;
        _bodyLength = status is 204 or 304 or < 200 ? 0 : long.MaxValue;
        _chunked = false;
        var rest = span[..end];
        for (var line = rest.IndexOf("\r\n"u8); line >= 0; line = rest.IndexOf("\r\n"u8))
        {
            rest = rest[(line + 2)..];
            var next = rest.IndexOf("\r\n"u8);
            var field = next < 0 ? rest : rest[..next];
            if (Value(field, "content-length:"u8) is { IsEmpty: false } length && Utf8Parser.TryParse(length, out long bytes, out _))
            {
                _bodyLength = bytes;
            }
            else if (Value(field, "transfer-encoding:"u8) is { IsEmpty: false } coding && System.Text.Ascii.EqualsIgnoreCase(coding, "chunked"u8))
            {
                _chunked = true;
                _bodyLength = long.MaxValue;
            }
            else if (Value(field, "connection:"u8) is { IsEmpty: false } connection)
            {
                Closes = System.Text.Ascii.EqualsIgnoreCase(connection, "close"u8);
            }
        }

        return true;
    }

    private static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> field, ReadOnlySpan<byte> name) =>
        field.Length > name.Length && System.Text.Ascii.EqualsIgnoreCase(field[..name.Length], name) ? field[name.Length..].Trim((byte)' ') : default;
}
