using System.Collections.Concurrent;

namespace FastListener.Storage.Catalog;

/// <summary>
/// Look-ups by object id from any thread: a few read connections, lent one to a caller. Whatever the catalog's trouble is, it is a
/// <see cref="StorageFaultException"/>, and its connection is not used again.
/// </summary>
internal sealed class CatalogLookups(string path) : IDisposable
{
    private readonly ConcurrentBag<CatalogReader> _idle = [];

    public bool TryResolve(ObjectReference reference, out long id, out int projectId)
    {
        (var found, id, projectId) = Ask(
            static (reader, reference) => (reader.TryResolve(reference, out var id, out var projectId), id, projectId), reference);
        return found;
    }

    public Dictionary<int, (string Universe, string Project)> AllProjects() => Ask(static (reader, _) => reader.AllProjects(), default);

    public void Dispose()
    {
        while (_idle.TryTake(out var reader))
        {
            reader.Dispose();
        }
    }

    private T Ask<T>(Func<CatalogReader, ObjectReference, T> question, ObjectReference reference)
    {
        CatalogReader? reader = null;
        try
        {
            reader = _idle.TryTake(out var idle) ? idle : CatalogReader.Open(path);
            var answer = question(reader, reference);
            _idle.Add(reader);
            return answer;
        }
        catch (Exception fault)
        {
            reader?.Dispose();
            if (fault is CatalogDamagedException or StoreUnusableException)
            {
                throw new StorageFaultException(StorageFaultKind.InputOutput, fault.Message, fault);
            }

            throw;
        }
    }
}
