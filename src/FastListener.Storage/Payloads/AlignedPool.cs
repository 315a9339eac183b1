using System.Runtime.InteropServices;

namespace FastListener.Storage.Payloads;

/// <summary>Memory outside the GC heap, aligned for unbuffered writes. Whoever holds it disposes it or gives it back to its pool.</summary>
internal sealed unsafe class AlignedBuffer : IDisposable
{
    private byte* _memory;

    public AlignedBuffer(int size)
    {
        Size = size;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)size, Packs.PackLayout.Alignment);
    }

    ~AlignedBuffer() => Free();

    public int Size { get; }

    public Span<byte> Span => _memory is not null ? new(_memory, Size) : throw new ObjectDisposedException(nameof(AlignedBuffer));

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}

/// <summary>Write buffers for large payloads under one budget. A few are kept, the rest go back to the system when uploads end.</summary>
internal sealed class AlignedPool(int bufferSize, long budgetBytes) : IDisposable
{
    private const int Kept = 4;
    private readonly Lock _lock = new();
    private readonly Stack<AlignedBuffer> _free = new(Kept);
    private readonly int _capacity = (int)(budgetBytes / bufferSize);
    private int _inUse;

    public AlignedBuffer? TryRent()
    {
        lock (_lock)
        {
            if (_inUse >= _capacity)
            {
                return null;
            }

            _inUse++;
            if (_free.TryPop(out var buffer))
            {
                return buffer;
            }
        }

        return new(bufferSize);
    }

    public void Return(AlignedBuffer buffer)
    {
        lock (_lock)
        {
            _inUse--;
            if (_free.Count < Kept)
            {
                _free.Push(buffer);
                return;
            }
        }

        buffer.Dispose();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            while (_free.TryPop(out var buffer))
            {
                buffer.Dispose();
            }
        }
    }
}
