namespace FastListener.Storage.Payloads;

/// <summary>Equal blocks of memory under one budget. A block belongs to whoever rented it until it is given back.</summary>
#pragma warning disable CA1001 // the semaphore is not disposed: blocks may come back after the store has closed, and it holds no handle
internal sealed class BlockPool
#pragma warning restore CA1001
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _budget;
    private readonly byte[]?[] _free;
    private int _freeCount;

    public BlockPool(int blockSize, long budgetBytes)
    {
        BlockSize = blockSize;
        var blocks = (int)Math.Max(1, budgetBytes / blockSize);
        Capacity = blocks;
        _budget = new(blocks, blocks);
        _free = new byte[blocks][];
    }

    public int BlockSize { get; }

    public int Capacity { get; }

    /// <summary>Blocks rented now.</summary>
    public int InUse => Capacity - _budget.CurrentCount;

    /// <summary>A block, or null when the budget is spent.</summary>
    public byte[]? TryRent() => _budget.Wait(0) ? Take() : null;

    /// <summary>A block, or null when none came back in time.</summary>
    public async ValueTask<byte[]?> RentAsync(TimeSpan wait) =>
        await _budget.WaitAsync(wait).ConfigureAwait(false) ? Take() : null;

    public void Return(byte[] block)
    {
        lock (_lock)
        {
            _free[_freeCount++] = block;
        }

        _budget.Release();
    }

    /// <summary>Lets go of every block that nobody uses.</summary>
    public void Trim()
    {
        lock (_lock)
        {
            Array.Clear(_free, 0, _freeCount);
            _freeCount = 0;
        }
    }

    private byte[] Take()
    {
        lock (_lock)
        {
            if (_freeCount > 0)
            {
                var block = _free[--_freeCount]!;
                _free[_freeCount] = null;
                return block;
            }
        }

        return GC.AllocateUninitializedArray<byte>(BlockSize);
    }
}
