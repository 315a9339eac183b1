using FastListener.Storage.Catalog;
using Microsoft.Win32.SafeHandles;

namespace FastListener.Storage.Packs;

/// <summary>Reads records out of packs; keeps the last few packs open. One thread at a time.</summary>
internal sealed class PackReader(StoreLayout layout) : IDisposable
{
    private const int KeptOpen = 16;
    private const int FirstRead = 2048;
    private const string NoRecord = "No record where the catalog says there is one.";
    private readonly Dictionary<long, SafeFileHandle> _open = [];
    private readonly Queue<long> _order = new();
    private readonly byte[] _head = new byte[16 * 1024];

    /// <summary>The instance that wrote a pack; false when the file has no sound header.</summary>
    public static bool TryReadHeader(string path, out uint instance)
    {
        using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        var header = new byte[PackLayout.FileHeaderSize];
        var read = ReadFully(file, header, 0);
        return PackLayout.TryReadFileHeader(header.AsSpan(0, read), out _, out instance);
    }

    /// <summary>A committed record without its payload bytes. Throws <see cref="InvalidDataException"/> when it is not as it was written.</summary>
    public StoredRecord Read(in RecordPlace place) => StoredRecord.Parse(ReadHead(place), place);

    /// <summary>
    /// Header and metadata of a committed record, in memory that the next call takes again. Throws <see cref="InvalidDataException"/> when they are not there.
    /// </summary>
    public ReadOnlySpan<byte> ReadHead(in RecordPlace place)
    {
        if (place.Offset < 0)
        {
            throw new InvalidDataException(NoRecord);
        }

        // Most heads fit into the first read.
        var file = Open(place.Pack);
        var read = ReadFully(file, _head.AsSpan(0, (int)Math.Clamp(place.Length, PackLayout.RecordHeaderSize, FirstRead)), place.Offset);
        var length = HeadLength(_head.AsSpan(0, read), place);
        if (length > read)
        {
            var bytes = length <= _head.Length ? _head : new byte[length];
            _head.AsSpan(0, read).CopyTo(bytes);
            read += ReadFully(file, bytes.AsSpan(read, length - read), place.Offset + read);
            return read == length ? bytes.AsSpan(0, length) : throw new InvalidDataException("The pack ends within the record.");
        }

        return _head.AsSpan(0, length);
    }

    /// <summary>The length of header and metadata, from the header. Throws <see cref="InvalidDataException"/> when no such record begins there.</summary>
    public static int HeadLength(ReadOnlySpan<byte> header, in RecordPlace place)
    {
        if (!StoredRecord.TryReadLengths(header, out var metadata, out var inline))
        {
            throw new InvalidDataException(NoRecord);
        }

        return PackLayout.RecordHeaderSize + (long)metadata + inline == place.Length
            ? PackLayout.RecordHeaderSize + metadata
            : throw new InvalidDataException("The record's length is not the one in the catalog.");
    }

    public SafeFileHandle Open(long pack)
    {
        if (_open.TryGetValue(pack, out var file))
        {
            return file;
        }

        if (_open.Count == KeptOpen && _order.TryDequeue(out var oldest) && _open.Remove(oldest, out var closed))
        {
            closed.Dispose();
        }

        file = File.OpenHandle(layout.Pack(pack), share: FileShare.ReadWrite | FileShare.Delete);
        _open.Add(pack, file);
        _order.Enqueue(pack);
        return file;
    }

    /// <summary>Fills the span as far as the file goes.</summary>
    public static int ReadFully(SafeFileHandle file, Span<byte> destination, long offset)
    {
        var done = 0;
        while (done < destination.Length)
        {
            var read = RandomAccess.Read(file, destination[done..], offset + done);
            if (read == 0)
            {
                break;
            }

            done += read;
        }

        return done;
    }

    public void Dispose()
    {
        foreach (var file in _open.Values)
        {
            file.Dispose();
        }

        _open.Clear();
    }
}
