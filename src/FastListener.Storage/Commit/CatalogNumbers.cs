using FastListener.Storage.Catalog;

namespace FastListener.Storage.Commit;

/// <summary>
/// The numbers by which the catalog knows projects and accounts. One that a transaction has given counts only when that transaction is durable: until
/// then it is remembered here, and forgotten with it. The committer's thread only.
/// </summary>
internal sealed class CatalogNumbers
{
    private readonly List<(ProjectKey Key, int Id)> _newProjects = [];
    private readonly List<(Account Account, int Id)> _newAccounts = [];

    /// <summary>The project's number, given in the open transaction when it has none.</summary>
    public int Of(ProjectKey key, CatalogWriter catalog)
    {
        if (key.Id != 0)
        {
            return key.Id;
        }

        foreach (var (known, knownId) in _newProjects)
        {
            if (known == key)
            {
                return knownId;
            }
        }

        var id = catalog.ProjectId(key.Universe, key.Project);
        _newProjects.Add((key, id));
        return id;
    }

    /// <summary>The account's number, given in the open transaction when it has none.</summary>
    public int Of(Account account, CatalogWriter catalog)
    {
        if (account.Id != 0)
        {
            return account.Id;
        }

        foreach (var (known, knownId) in _newAccounts)
        {
            if (known == account)
            {
                return knownId;
            }
        }

        var id = catalog.AccountId(account.KeyUtf8);
        _newAccounts.Add((account, id));
        return id;
    }

    /// <summary>The transaction is durable.</summary>
    public void Confirm()
    {
        foreach (var (key, id) in _newProjects)
        {
            key.Id = id;
        }

        foreach (var (account, id) in _newAccounts)
        {
            account.Id = id;
        }
    }

    /// <summary>The transaction is over, whatever became of it.</summary>
    public void Forget()
    {
        _newProjects.Clear();
        _newAccounts.Clear();
    }
}
