using FastListener.Storage.Payloads;
using Microsoft.Extensions.Logging;

namespace FastListener.Storage.Packs;

/// <summary>
/// The pack being written. It ends where the catalog says it ends; after a failed write or sync it is never written again. Used by the committer only.
/// </summary>
internal sealed class PackWriter(StoreLayout layout, StorageDevice device, uint instance, bool direct, ILogger logger) : IDisposable
{
    private StorageFile? _file;
    private long _writtenEnd;

    /// <summary>True when a batch can be appended.</summary>
    public bool IsOpen => _file is not null;

    /// <summary>The pack's id, also after it was closed.</summary>
    public long Pack { get; private set; }

    /// <summary>Where the next batch goes: the committed end.</summary>
    public long End { get; private set; }

    /// <summary>True once the catalog has a row for it.</summary>
    public bool HasCommits => End > PackLayout.FileHeaderSize;

    /// <summary>Creates a pack. Its header becomes durable with its first batch, its name before that.</summary>
    public void Create(long pack, long now)
    {
        Pack = pack;
        End = _writtenEnd = PackLayout.FileHeaderSize;
        var path = layout.Pack(pack);
        var file = device.Create(path, direct);
        try
        {
            using var header = new AlignedBuffer(PackLayout.FileHeaderSize);
            PackLayout.WriteFileHeader(header.Span, pack, instance, now);
            file.Write(header.Span, 0);
            device.SyncDirectory(layout.Packs);
        }
        catch
        {
            file.Dispose();
            device.Delete(path);
            throw;
        }

        _file = file;
    }

    /// <summary>Writes a batch (aligned in memory and in length) at <see cref="End"/> and makes it durable.</summary>
    public void Append(ReadOnlySpan<byte> batch)
    {
        _writtenEnd = End + batch.Length;
        _file!.Write(batch, End);
        _file.SyncData();
    }

    /// <summary>The catalog has committed the batch.</summary>
    public void Confirm() => End = _writtenEnd;

    /// <summary>Ends the pack for good at the end the catalog knows. Returns false when the disk did not let us; recovery does it then.</summary>
    public bool Close(long now)
    {
        if (_file is not { } file)
        {
            return true;
        }

        _file = null;
        try
        {
            using (file)
            {
                Finish(file, Pack, End, now);
            }

            if (!HasCommits)
            {
                device.Delete(layout.Pack(Pack));
            }

            return true;
        }
        catch (StorageFaultException fault)
        {
            StoreLog.PackCloseFailed(logger, Pack, fault);
            return false;
        }
    }

    /// <summary>Lets go of the pack without touching it: whether its last batch was committed is not known.</summary>
    public void Release()
    {
        _file?.Dispose();
        _file = null;
    }

    public void Dispose() => Release();

    /// <summary>Cuts a pack at its committed end and writes the batch of no records that says so.</summary>
    public static void Finish(StorageFile file, long pack, long end, long now)
    {
        file.SetLength(end);
        if (end > PackLayout.FileHeaderSize)
        {
            using var last = new AlignedBuffer(PackLayout.Alignment);
            last.Span.Clear();
            PackLayout.WriteBatchHeader(last.Span, new(pack, end, PackLayout.Alignment, 0, now));
            file.Write(last.Span, end);
        }

        file.SyncData();
    }
}
