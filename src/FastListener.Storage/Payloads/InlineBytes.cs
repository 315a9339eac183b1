namespace FastListener.Storage.Payloads;

/// <summary>
/// The payload bytes of one submission that will go into its pack record: one stream over pooled blocks, so that many small payloads
/// share a block. Owns its blocks until <see cref="Clear"/> or <see cref="Truncate"/>.
/// </summary>
internal sealed class InlineBytes(BlockPool pool)
{
    private readonly List<byte[]> _blocks = [];

    public int Length { get; private set; }

    /// <summary>Appends all of the bytes, or nothing when the pool has no blocks left.</summary>
    public bool TryAppend(ReadOnlySpan<byte> bytes)
    {
        var blocks = _blocks.Count;
        while ((long)_blocks.Count * pool.BlockSize - Length < bytes.Length)
        {
            if (pool.TryRent() is not { } block)
            {
                ReturnFrom(blocks);
                return false;
            }

            _blocks.Add(block);
        }

        while (!bytes.IsEmpty)
        {
            var target = _blocks[Length / pool.BlockSize].AsSpan(Length % pool.BlockSize);
            var count = Math.Min(target.Length, bytes.Length);
            bytes[..count].CopyTo(target);
            bytes = bytes[count..];
            Length += count;
        }

        return true;
    }

    /// <summary>Waits for one more block; false when none came back in time.</summary>
    public async ValueTask<bool> WaitForRoomAsync(TimeSpan wait)
    {
        if (await pool.RentAsync(wait).ConfigureAwait(false) is not { } block)
        {
            return false;
        }

        _blocks.Add(block);
        return true;
    }

    /// <summary>The bytes from a position up to the end of its block.</summary>
    public ReadOnlyMemory<byte> SegmentAt(int position)
    {
        var start = position % pool.BlockSize;
        return _blocks[position / pool.BlockSize].AsMemory(start, Math.Min(pool.BlockSize - start, Length - position));
    }

    public void CopyTo(Span<byte> destination)
    {
        for (var position = 0; position < Length;)
        {
            var segment = SegmentAt(position).Span;
            segment.CopyTo(destination[position..]);
            position += segment.Length;
        }
    }

    /// <summary>Takes bytes out of the middle; what lies behind them moves up.</summary>
    public void Remove(int start, int count)
    {
        var target = start;
        for (var source = start + count; source < Length;)
        {
            var segment = SegmentAt(source).Span;
            var place = _blocks[target / pool.BlockSize].AsSpan(target % pool.BlockSize);
            var length = Math.Min(segment.Length, place.Length);
            segment[..length].CopyTo(place); // never past what is still to be read: the target lies before the source
            source += length;
            target += length;
        }

        Truncate(Length - count);
    }

    public void Truncate(int length)
    {
        Length = length;
        ReturnFrom((length + pool.BlockSize - 1) / pool.BlockSize);
    }

    public void Clear() => Truncate(0);

    private void ReturnFrom(int first)
    {
        for (var i = _blocks.Count - 1; i >= first; i--)
        {
            pool.Return(_blocks[i]);
            _blocks.RemoveAt(i);
        }
    }
}
