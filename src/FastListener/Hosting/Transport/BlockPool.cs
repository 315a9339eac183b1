using System.Buffers;

namespace FastListener.Hosting.Transport;

/// <summary>
/// Hands out equal blocks, the most recently returned first (its cache lines are still warm), and gives memory back when it lies idle.
/// Threads may share it. Disposing it is for <see cref="PooledBlockFactory"/> alone, see <see cref="PooledBlockFactory.Create"/>.
/// </summary>
internal sealed class BlockPool : MemoryPool<byte>
{
    private readonly Lock _gate = new();
    private readonly int _blockSize;
    private readonly bool _arrays;
    private readonly int _maxWarm;
    private Block? _warm;
    private Block? _cold;
    private int _warmCount;
    private int _leastWarm; // the lowest _warmCount since the last trim: so many blocks nobody needed meanwhile
    private int _rentedCount;
    private bool _closed;

    /// <param name="blockSize">Bytes of every block.</param>
    /// <param name="retainedBytes">What unused blocks may keep.</param>
    /// <param name="arrays">
    /// Make blocks of arrays, for users that need <see cref="ArraySegment{T}"/>. Their memory goes back with a later garbage collection;
    /// that of pages goes back at once.
    /// </param>
    public BlockPool(int blockSize, long retainedBytes, bool arrays)
    {
        _blockSize = blockSize;
        _arrays = arrays || !AnonymousMemory.IsSupported;
        _maxWarm = (int)Math.Min(retainedBytes / blockSize, int.MaxValue);
    }

    /// <summary>Every block has this many bytes.</summary>
    public override int MaxBufferSize => _blockSize;

    /// <summary>Physical memory held by blocks that nobody uses at the moment, in bytes.</summary>
    public long RetainedBytes
    {
        get
        {
            lock (_gate)
            {
                return (long)_warmCount * _blockSize;
            }
        }
    }

    /// <summary>Blocks handed out and not yet returned, oversized ones included.</summary>
    public int RentedBlocks
    {
        get
        {
            lock (_gate)
            {
                return _rentedCount;
            }
        }
    }

    /// <summary>A whole block, whatever smaller size was asked for: small blocks are what this pool exists to avoid.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More than <see cref="MaxBufferSize"/> bytes were asked for.</exception>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, _blockSize);
        return RentBlock();
    }

    /// <summary>A pooled block of <see cref="MaxBufferSize"/> bytes. The caller owns it until <see cref="Block.Return"/>.</summary>
    public Block RentBlock()
    {
        Block? block;
        lock (_gate)
        {
            _rentedCount++;
            if ((block = _warm) is not null)
            {
                _warm = block.Next;
                _leastWarm = Math.Min(_leastWarm, --_warmCount);
            }
            else if ((block = _cold) is not null)
            {
                _cold = block.Next;
            }
        }

        block ??= _arrays ? Block.CreateManaged(this, _blockSize) : Block.CreateOfPages(this, _blockSize);
        block.MarkRented();
        return block;
    }

    /// <summary>
    /// A block of at least <paramref name="size"/> bytes: pooled when that fits one, else made for this once and left to the garbage
    /// collector afterwards.
    /// </summary>
    public Block RentBlock(int size)
    {
        if (size <= _blockSize)
        {
            return RentBlock();
        }

        lock (_gate)
        {
            _rentedCount++;
        }

        var block = Block.CreateManaged(this, size);
        block.MarkRented();
        return block;
    }

    /// <summary>Gives back the memory of every block that stayed unused since the last call.</summary>
    public void Trim()
    {
        for (var surplus = TakeSurplus(); surplus is not null;)
        {
            var next = surplus.Next;
            Cool(surplus);
            surplus = next;
        }
    }

    /// <summary>Takes a block whose owner is done with it. Called by <see cref="Block"/> only.</summary>
    internal void TakeBack(Block block)
    {
        lock (_gate)
        {
            _rentedCount--;
            if (block.Length != _blockSize)
            {
                return;
            }

            if (!_closed && _warmCount < _maxWarm)
            {
                block.Next = _warm;
                _warm = block;
                _warmCount++;
                return;
            }
        }

        Cool(block);
    }

    protected override void Dispose(bool disposing)
    {
        Block? warm, cold;
        lock (_gate)
        {
            _closed = true;
            (warm, cold, _warm, _cold, _warmCount, _leastWarm) = (_warm, _cold, null, null, 0, 0);
        }

        ReleaseAll(warm);
        ReleaseAll(cold);
    }

    private static void ReleaseAll(Block? block)
    {
        while (block is not null)
        {
            var next = block.Next;
            block.Release();
            block = next;
        }
    }

    private Block? TakeSurplus()
    {
        Block? surplus = null;
        lock (_gate)
        {
            for (; _leastWarm > 0 && _warm is { } block; _leastWarm--, _warmCount--)
            {
                _warm = block.Next;
                block.Next = surplus;
                surplus = block;
            }

            _leastWarm = _warmCount;
        }

        return surplus;
    }

    private void Cool(Block block)
    {
        if (block.IsManaged)
        {
            return;
        }

        block.Discard();
        lock (_gate)
        {
            if (!_closed)
            {
                block.Next = _cold;
                _cold = block;
                return;
            }
        }

        block.Release();
    }
}
