using FastListener.Storage.Catalog;

namespace FastListener.Storage.Commit;

/// <summary>The ids of objects and of packs that the committer may hand out. What became of a transaction that renewed them, both have to be told.</summary>
/// <param name="mostInBatch">Objects that one batch may need.</param>
internal sealed class IdLeases(int mostInBatch)
{
    private const int ObjectBlock = 4096;
    private const int PackBlock = 1;

    private readonly IdLease _objects = new("object", ObjectBlock);
    private readonly IdLease _packs = new("pack", PackBlock);

    /// <summary>Whether so many objects, and a pack when one is to be begun, can be named without the catalog.</summary>
    public bool Suffice(int objects, bool forPack) => _objects.Available >= objects && (!forPack || _packs.Available > 0);

    public long TakeObject() => _objects.Take();

    public long TakePack() => _packs.Take();

    /// <summary>Inside a transaction: takes what may be needed soon.</summary>
    public void Renew(CatalogWriter catalog)
    {
        if (_objects.Available < mostInBatch * 2)
        {
            _objects.Renew(catalog);
        }

        _packs.Renew(catalog);
    }

    /// <summary>The transaction was committed.</summary>
    public void Confirm()
    {
        _objects.Confirm();
        _packs.Confirm();
    }

    /// <summary>The transaction was not, or nobody knows.</summary>
    public void Forget()
    {
        _objects.Forget();
        _packs.Forget();
    }

    /// <summary>Inside a transaction of a clean end.</summary>
    public void GiveBack(CatalogConnection connection)
    {
        _objects.GiveBack(connection);
        _packs.GiveBack(connection);
    }
}
