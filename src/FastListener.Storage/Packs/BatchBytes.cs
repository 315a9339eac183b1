using FastListener.Storage.Payloads;

namespace FastListener.Storage.Packs;

/// <summary>A finished batch in aligned memory, for another thread to write. The memory is the batch buffer's.</summary>
internal readonly record struct BatchBytes(AlignedBuffer Buffer, int Length)
{
    public ReadOnlySpan<byte> Span => Buffer.Span[..Length];
}
