using FastListener.Storage.Catalog;
using FastListener.Storage.Packs;

namespace FastListener.Storage.Commit;

/// <summary>
/// What the catalog has yet to be told of packs: which have been ended, and that the last batch of the open one is durable. Until it knows that, the next
/// start would look at the batch once more, and mistrust it all for one rotten byte. The committer's thread only.
/// </summary>
internal sealed class PackNotes(PackWriter packs, uint instance)
{
    private readonly List<long> _ended = [];
    private (long Pack, long End) _synced; // up to where the catalog knows it to be durable

    public bool AnyWaiting => _ended.Count > 0 || IsSyncWaiting;

    private bool IsSyncWaiting => packs is { IsOpen: true, HasCommits: true } && _synced != (packs.Pack, packs.End);

    /// <summary>A pack was ended, and the catalog does not say so.</summary>
    public void AddEnded(long pack) => _ended.Add(pack);

    /// <summary>Tells the open transaction all that waits. Only between two batches: the one under way says itself how far the pack goes.</summary>
    public void Write(CatalogWriter catalog)
    {
        WriteEnded(catalog);
        if (IsSyncWaiting)
        {
            catalog.SetPack(packs.Pack, instance, packs.End, packs.End);
        }
    }

    /// <summary>Tells the open transaction which packs have been ended.</summary>
    public void WriteEnded(CatalogWriter catalog)
    {
        foreach (var pack in _ended)
        {
            catalog.ClosePack(pack);
        }
    }

    /// <summary>The transaction of <see cref="Write"/> is durable.</summary>
    public void Confirm()
    {
        ConfirmEnded();
        _synced = (packs.Pack, packs.End);
    }

    /// <summary>The transaction of <see cref="WriteEnded"/> is durable.</summary>
    public void ConfirmEnded() => _ended.Clear();
}
