using System.Runtime.InteropServices;

namespace FastListener.Protocol.Compression;

/// <summary>Owns one native inflate state (about 40 KiB) and frees it, by its finalizer at the latest.</summary>
internal sealed unsafe class InflateHandle : SafeHandle
{
    private ZlibNative.ZStream _stream;

    public InflateHandle(int windowBits)
        : base(invalidHandleValue: 0, ownsHandle: true)
    {
        fixed (ZlibNative.ZStream* stream = &_stream)
        {
            Check(ZlibNative.InflateInit(stream, windowBits));
            SetHandle((nint)stream->State);
        }
    }

    public override bool IsInvalid => handle == 0;

    public void Reset(int windowBits)
    {
        fixed (ZlibNative.ZStream* stream = &_stream)
        {
            Check(ZlibNative.InflateReset(stream, windowBits));
        }
    }

    /// <summary>One call of zlib's inflate; returns its code.</summary>
    public int Inflate(ReadOnlySpan<byte> input, Span<byte> output, out int consumed, out int written)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        fixed (ZlibNative.ZStream* stream = &_stream)
        fixed (byte* source = input)
        fixed (byte* destination = output)
        {
            byte nothing;
            stream->NextIn = source == null ? &nothing : source; // zlib takes a null pointer for a misuse, even of no bytes
            stream->AvailableIn = (uint)input.Length;
            stream->NextOut = destination == null ? &nothing : destination;
            stream->AvailableOut = (uint)output.Length;
            var code = ZlibNative.Inflate(stream, ZlibNative.NoFlush);
            consumed = input.Length - (int)stream->AvailableIn;
            written = output.Length - (int)stream->AvailableOut;
            stream->NextIn = stream->NextOut = null;
            return code;
        }
    }

    protected override bool ReleaseHandle()
    {
        fixed (ZlibNative.ZStream* stream = &_stream)
        {
            return ZlibNative.InflateEnd(stream) == ZlibNative.Ok;
        }
    }

    private static void Check(int code)
    {
        if (code == ZlibNative.MemoryError)
        {
            throw new InsufficientMemoryException("zlib could not allocate its state.");
        }

        if (code != ZlibNative.Ok)
        {
            throw new InvalidOperationException($"zlib refused to start: {code}.");
        }
    }
}
