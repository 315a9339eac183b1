using System.Globalization;
using FastListener.Storage.Devices;
using FastListener.Storage.Packs;
using FastListener.Storage.Payloads;
using Microsoft.Extensions.Logging;

namespace FastListener.Storage.Commit;

/// <summary>The directory <c>orphans/</c>: what nobody names, kept for whoever wants to look. Nothing in it is ever replaced.</summary>
internal sealed class Orphans(StoreLayout layout, StorageDevice device, ILogger logger)
{
    private const int CopyChunk = 256 * 1024;

    /// <summary>Moves a file there. The caller syncs both directories.</summary>
    public void Take(FileInfo file)
    {
        var target = FreePath(file.Name);
        StoreLog.Orphaned(logger, Path.GetFileName(target));
        device.Rename(file.FullName, target);
    }

    /// <summary>Copies what a pack holds from an offset on, if it is anything, durably: it is about to be cut off. A copy that fails is only said.</summary>
    public void Keep(long pack, FileInfo file, long start)
    {
        var path = FreePath(string.Create(CultureInfo.InvariantCulture, $"{file.Name}+{start}"));
        StorageFile? target = null;
        try
        {
            using var bytes = new AlignedBuffer(CopyChunk);
            using var source = File.OpenHandle(file.FullName, share: FileShare.ReadWrite | FileShare.Delete);
            for (var offset = start; PackReader.ReadFully(source, bytes.Span, offset) is > 0 and var read; offset += read)
            {
                if (target is not null || bytes.Span[..read].ContainsAnyExcept((byte)0))
                {
                    target ??= device.Create(path, direct: false);
                    target.Write(bytes.Span[..read], offset - start);
                }
            }

            if (target is not null)
            {
                target.SyncData();
                device.SyncDirectory(layout.Orphans);
                StoreLog.CutOffKept(logger, pack, start, Path.GetFileName(path));
            }
        }
        catch (IOException fault)
        {
            StoreLog.NotKept(logger, Path.GetFileName(path), fault); // a full disk must not keep the store from opening
        }
        finally
        {
            target?.Dispose();
        }
    }

    private string FreePath(string name)
    {
        var path = Path.Combine(layout.Orphans, name);
        for (var number = 2; File.Exists(path); number++)
        {
            path = Path.Combine(layout.Orphans, string.Create(CultureInfo.InvariantCulture, $"{name}-{number}"));
        }

        return path;
    }
}
