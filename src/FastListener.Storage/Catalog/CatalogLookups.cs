using System.Collections.Concurrent;

namespace FastListener.Storage.Catalog;

/// <summary>Look-ups by object id from any thread: a few read connections, lent one to a caller.</summary>
internal sealed class CatalogLookups(string path) : IDisposable
{
    private readonly ConcurrentBag<CatalogReader> _idle = [];

    public bool TryResolve(ObjectReference reference, out long id, out int projectId)
    {
        var reader = Rent();
        try
        {
            var found = reader.TryResolve(reference, out id, out projectId);
            _idle.Add(reader);
            return found;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    public Dictionary<int, (string Universe, string Project)> AllProjects()
    {
        var reader = Rent();
        var projects = reader.AllProjects();
        _idle.Add(reader);
        return projects;
    }

    public void Dispose()
    {
        while (_idle.TryTake(out var reader))
        {
            reader.Dispose();
        }
    }

    private CatalogReader Rent()
    {
        if (_idle.TryTake(out var reader))
        {
            return reader;
        }

        try
        {
            return CatalogReader.Open(path);
        }
        catch (CatalogDamagedException damage)
        {
            throw new StorageFaultException(StorageFaultKind.InputOutput, damage.Message, damage);
        }
    }
}
