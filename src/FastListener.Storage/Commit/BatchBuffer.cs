using FastListener.Storage.Packs;
using FastListener.Storage.Payloads;

namespace FastListener.Storage.Commit;

/// <summary>The bytes of one batch, laid out as they go to the pack.</summary>
internal sealed class BatchBuffer(int capacity) : IDisposable
{
    private readonly AlignedBuffer _standard = new((int)PackLayout.Align(capacity));
    private AlignedBuffer? _large;
    private int _length;

    private AlignedBuffer Current => _large ?? _standard;

    /// <summary>Room for records in the standard buffer.</summary>
    public int Capacity => _standard.Size - PackLayout.BatchHeaderSize;

    /// <summary>Empties it, and makes room for one record larger than the standard buffer when asked to.</summary>
    public void Clear(int firstRecord)
    {
        _length = PackLayout.BatchHeaderSize;
        _large?.Dispose();
        _large = firstRecord > Capacity ? new((int)PackLayout.Align(PackLayout.BatchHeaderSize + (long)firstRecord)) : null;
    }

    /// <summary>The place for the next record, and where in the batch it begins.</summary>
    public Span<byte> Next(int length, out int offset)
    {
        offset = _length;
        _length += length;
        return Current.Span.Slice(offset, length);
    }

    /// <summary>Pads and heads the batch.</summary>
    public BatchBytes Finish(long pack, long offset, int records, long now)
    {
        var padded = (int)PackLayout.Align(_length);
        var bytes = Current.Span[..padded];
        bytes[_length..].Clear();
        PackLayout.WriteBatchHeader(bytes, new(pack, offset, padded, records, now));
        return new(Current, padded);
    }

    public void Dispose()
    {
        _standard.Dispose();
        _large?.Dispose();
    }
}
