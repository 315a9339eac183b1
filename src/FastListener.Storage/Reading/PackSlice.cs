using Microsoft.Win32.SafeHandles;

namespace FastListener.Storage.Reading;

/// <summary>The bytes of one payload inside a pack.</summary>
internal sealed class PackSlice : Stream
{
    private readonly SafeFileHandle _file;
    private readonly long _start;
    private long _position;

    public PackSlice(string path, long start, long length)
    {
        _file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        _start = start;
        Length = length;
    }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; }

    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        var rest = Math.Max(0, Length - _position);
        var count = (int)Math.Min(buffer.Length, rest);
        if (count == 0)
        {
            return 0;
        }

        var read = RandomAccess.Read(_file, buffer[..count], _start + _position);
        if (read == 0)
        {
            throw new EndOfStreamException("The pack ends within the payload.");
        }

        _position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => Length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _file.Dispose();
        base.Dispose(disposing);
    }
}
