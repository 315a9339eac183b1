namespace FastListener.Cli;

/// <summary>
/// Standard output or standard error. Output that cannot be written (a full disk, a stream closed by the caller) is one fault that
/// names the stream; what cannot be said on standard error is dropped, since there is nobody to say it to, and the exit code stands.
/// </summary>
internal sealed class StandardStream(Stream stream, bool dropsFaults = false) : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            stream.Write(buffer);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException) // the latter from a closed one
        {
            if (!dropsFaults)
            {
                throw new IOException($"Standard output: {failure.GetBaseException().Message}", failure);
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() => stream.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
