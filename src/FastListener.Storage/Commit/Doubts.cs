using FastListener.Storage.Catalog;
using FastListener.Storage.Devices;
using FastListener.Storage.Packs;
using FastListener.Storage.Payloads;

namespace FastListener.Storage.Commit;

/// <summary>
/// What nobody knows after a catalog failed: batches that it may hold and must not, packs whose end only it can say, files that it may name. Settled
/// when it has been opened anew. The committer's thread only.
/// </summary>
internal sealed class Doubts(StoreLayout layout, StorageDevice device)
{
    private readonly List<(long Pack, long Start)> _batchesToUndo = [];
    private readonly List<long> _packs = [];
    private readonly List<PayloadFile> _files = [];

    /// <summary>The batch from <paramref name="start"/> on did not become durable in the pack, whatever the catalog says.</summary>
    public void MustUndo(long pack, long start) => _batchesToUndo.Add((pack, start));

    /// <summary>The pack was given up; where it ends is what the catalog says.</summary>
    public void AddPack(long pack) => _packs.Add(pack);

    /// <summary>Takes the files of a submission whose fate is not known, so that they are not erased if the catalog names them after all.</summary>
    public void TakeFiles(in BatchEntry entry)
    {
        foreach (var payload in entry.Submission.Parts.Payloads)
        {
            if (payload.TakeFile() is { } file)
            {
                _files.Add(file);
            }
        }
    }

    /// <summary>Asks a catalog that can be trusted again. Packs that are found to hold something are ended, which <paramref name="notes"/> takes.</summary>
    public void Settle(CatalogWriter catalog, PackNotes notes, long now)
    {
        foreach (var (pack, start) in _batchesToUndo)
        {
            catalog.Undo(pack, start);
        }

        _batchesToUndo.Clear();
        foreach (var pack in _packs)
        {
            var end = catalog.Connection.Scalar($"SELECT committed_end FROM packs WHERE id={pack}");
            if (end == 0)
            {
                device.Delete(layout.Pack(pack));
                continue;
            }

            using var file = device.OpenExisting(layout.Pack(pack));
            PackWriter.Finish(file, pack, end, now);
            notes.AddEnded(pack);
        }

        _packs.Clear();
        foreach (var file in _files)
        {
            if (catalog.Connection.Scalar($"SELECT count(*) FROM files WHERE name='{file.Name}'") == 0)
            {
                file.Erase();
            }
        }

        _files.Clear();
    }
}
