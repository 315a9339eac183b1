using System.Buffers;

namespace FastListener.Protocol;

/// <summary>
/// Bytes collected at the end of an array that is rented from the shared pool when the first of them come, and grows by doubling. Emptied, it keeps
/// its array; <see cref="Return"/> gives it back. A struct that changes: a field of its owner, never copied but to move it.
/// </summary>
/// <param name="leastRent">Smallest array to rent, bytes.</param>
public struct RentedBytes(int leastRent)
{
    private readonly int _leastRent = leastRent;
    private byte[]? _array;

    /// <summary>The array behind the bytes, empty while none is rented. Another one after <see cref="Append"/> had to grow.</summary>
    public readonly byte[] Array => _array ?? [];

    /// <summary>How many bytes it holds.</summary>
    public int Count { get; private set; }

    /// <summary>The bytes, valid until the next <see cref="Append"/> or <see cref="Return"/>.</summary>
    public readonly Span<byte> Span => _array.AsSpan(0, Count);

    /// <summary>The bytes, valid until the next <see cref="Append"/> or <see cref="Return"/>.</summary>
    public readonly Memory<byte> Memory => _array.AsMemory(0, Count);

    /// <summary>Adds a copy of bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        var count = Count + bytes.Length;
        if (_array is null || _array.Length < count)
        {
            Grow(count);
        }

        bytes.CopyTo(_array.AsSpan(Count));
        Count = count;
    }

    /// <summary>Keeps the first bytes and forgets the rest.</summary>
    /// <param name="count">How many to keep, at most <see cref="Count"/>.</param>
    public void Truncate(int count) => Count = count;

    /// <summary>Forgets all bytes, and gives an array back that is larger than so many bytes.</summary>
    public void Clear(int mostKept)
    {
        Count = 0;
        if (_array?.Length > mostKept)
        {
            Return();
        }
    }

    /// <summary>Forgets all bytes and gives the array back. May be used again.</summary>
    public void Return()
    {
        Count = 0;
        if (_array is { } array)
        {
            _array = null;
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    private void Grow(int count)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_leastRent, Math.Max(count, 2 * Array.Length)));
        Span.CopyTo(larger);
        if (_array is { } smaller)
        {
            ArrayPool<byte>.Shared.Return(smaller);
        }

        _array = larger;
    }
}
