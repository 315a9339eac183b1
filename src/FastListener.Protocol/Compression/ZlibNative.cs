using System.Runtime.InteropServices;

namespace FastListener.Protocol.Compression;

/// <summary>
/// The inflate functions of the zlib-ng that the .NET runtime carries in <c>libSystem.IO.Compression.Native</c>, as its managed side
/// (System.IO.Compression.ZLibNative) calls them. Not a public contract of the runtime, so a test checks the entry points and the layout.
/// </summary>
internal static unsafe partial class ZlibNative
{
    public const int Ok = 0;
    public const int StreamEnd = 1;
    public const int BufferError = -5;
    public const int MemoryError = -4;

    public const int NoFlush = 0;

    public const int RawWindow = -15;
    public const int ZlibWindow = 15;
    public const int GzipWindow = 31; // 15, and header, CRC and length of RFC 1952 are zlib's to check

    private const string Library = "libSystem.IO.Compression.Native";

    [LibraryImport(Library, EntryPoint = "CompressionNative_InflateInit2_")]
    public static partial int InflateInit(ZStream* stream, int windowBits);

    [LibraryImport(Library, EntryPoint = "CompressionNative_InflateReset2_")]
    public static partial int InflateReset(ZStream* stream, int windowBits);

    [LibraryImport(Library, EntryPoint = "CompressionNative_Inflate")]
    public static partial int Inflate(ZStream* stream, int flush);

    [LibraryImport(Library, EntryPoint = "CompressionNative_InflateEnd")]
    public static partial int InflateEnd(ZStream* stream);

    /// <summary><c>PAL_ZStream</c> of the runtime's <c>pal_zlib.h</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct ZStream
    {
        public byte* NextIn;
        public byte* NextOut;
        public byte* Message;
        public void* State;
        public uint AvailableIn;
        public uint AvailableOut;
    }
}
