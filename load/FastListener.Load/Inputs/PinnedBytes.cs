using System.Runtime.CompilerServices;

namespace FastListener.Load.Inputs;

/// <summary>Bytes that never move, so that their address may be given to the kernel again and again. Never freed; shared by all requests.</summary>
internal sealed unsafe class PinnedBytes
{
    private readonly byte[] _bytes;

    public PinnedBytes(ReadOnlySpan<byte> bytes)
    {
        _bytes = GC.AllocateUninitializedArray<byte>(Math.Max(1, bytes.Length), pinned: true);
        bytes.CopyTo(_bytes);
        Length = bytes.Length;
    }

    public int Length { get; }

    public byte* Address => (byte*)Unsafe.AsPointer(ref _bytes[0]);

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);
}
