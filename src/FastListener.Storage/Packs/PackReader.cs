using Microsoft.Win32.SafeHandles;

namespace FastListener.Storage.Packs;

/// <summary>Reads records out of packs; keeps the last few packs open. One thread at a time.</summary>
internal sealed class PackReader(StoreLayout layout) : IDisposable
{
    private const int KeptOpen = 16;
    private readonly Dictionary<long, SafeFileHandle> _open = [];
    private readonly Queue<long> _order = new();

    /// <summary>The instance that wrote a pack; false when the file has no sound header.</summary>
    public static bool TryReadHeader(string path, out uint instance)
    {
        using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        var header = new byte[PackLayout.FileHeaderSize];
        var read = ReadFully(file, header, 0);
        return PackLayout.TryReadFileHeader(header.AsSpan(0, read), out _, out instance);
    }

    /// <summary>A committed record without its payload bytes. Throws <see cref="InvalidDataException"/> when it is not as it was written.</summary>
    public StoredRecord Read(in Catalog.RecordPlace place)
    {
        var file = Open(place.Pack);
        Span<byte> header = stackalloc byte[PackLayout.RecordHeaderSize];
        if (ReadFully(file, header, place.Offset) < header.Length || !StoredRecord.TryReadLengths(header, out var metadata, out var inline))
        {
            throw new InvalidDataException("No record where the catalog says there is one.");
        }

        if (PackLayout.RecordHeaderSize + (long)metadata + inline != place.Length)
        {
            throw new InvalidDataException("The record's length is not the one in the catalog.");
        }

        var bytes = new byte[PackLayout.RecordHeaderSize + metadata];
        if (ReadFully(file, bytes, place.Offset) < bytes.Length)
        {
            throw new InvalidDataException("The pack ends within the record.");
        }

        return StoredRecord.Parse(bytes, place);
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
