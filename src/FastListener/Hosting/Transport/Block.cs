using System.Buffers;

namespace FastListener.Hosting.Transport;

/// <summary>
/// One contiguous stretch of unmovable memory. Owned by whoever rented it from <see cref="BlockPool"/> until disposed; its
/// <see cref="System.Memory{T}"/> throws afterwards.
/// </summary>
internal sealed unsafe class Block : MemoryManager<byte>
{
    private readonly BlockPool _pool;
    private readonly byte[]? _array; // keeps a managed block alive; null for pages of our own
    private readonly byte* _address;
    private int _rented; // 1 while somebody owns it

    private Block(BlockPool pool, byte[]? array, byte* address, int length)
    {
        _pool = pool;
        _array = array;
        _address = address;
        Length = length;
    }

    /// <summary>Size in bytes.</summary>
    public int Length { get; }

    /// <summary>The neighbour in whatever list holds this block: the pool's while it is free, the writer's queue while it is rented.</summary>
    public Block? Next { get; set; }

    /// <summary>Where the bytes that the owner still needs begin.</summary>
    public int Start { get; set; }

    /// <summary>Where they end.</summary>
    public int End { get; set; }

    /// <summary>Bytes the owner still needs.</summary>
    public int Count => End - Start;

    /// <summary>Whether the garbage collector reclaims the block's memory once nobody refers to it.</summary>
    public bool IsManaged => _array is not null;

    /// <summary>A block of pages straight from the kernel.</summary>
    public static Block CreateOfPages(BlockPool pool, int length) => new(pool, null, AnonymousMemory.Map(length), length);

    /// <summary>A block of a pinned array.</summary>
    public static Block CreateManaged(BlockPool pool, int length)
    {
        var array = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        return new Block(pool, array, (byte*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(array, 0), length);
    }

    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _rented) == 0, this);
        return new Span<byte>(_address, Length);
    }

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _rented) == 0, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)Length, nameof(elementIndex));
        return new MemoryHandle(_address + elementIndex);
    }

    public override void Unpin()
    {
        // Never moves, so there is nothing to undo.
    }

    protected override bool TryGetArray(out ArraySegment<byte> segment)
    {
        segment = _array is null ? default : new ArraySegment<byte>(_array);
        return _array is not null;
    }

    /// <summary>Gives the block back to its pool. A second call does nothing.</summary>
    public void Return() => Dispose(disposing: true);

    /// <summary>Called by the pool as it hands the block out.</summary>
    public void MarkRented()
    {
        Start = End = 0;
        Next = null;
        Volatile.Write(ref _rented, 1);
    }

    /// <summary>Gives the physical memory of a block of pages back; the block stays usable.</summary>
    public void Discard() => AnonymousMemory.Discard(_address, Length);

    /// <summary>Ends a free block for good.</summary>
    public void Release()
    {
        if (_array is null)
        {
            AnonymousMemory.Unmap(_address, Length);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _rented, 0) == 1)
        {
            _pool.TakeBack(this);
        }
    }
}
