using FastListener.Storage.Catalog;

namespace FastListener.Storage.Tests;

/// <summary>A page of the catalog that rots under a running store.</summary>
public sealed class CatalogDamageTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task A_look_up_that_meets_it_is_a_fault_of_the_store_and_works_again_once_the_page_is_whole()
    {
        Sent sent;
        await using (var store = await _data.OpenAsync())
        {
            sent = await store.SubmitAsync(StoreActions.Bytes(3000));
        }

        await using var again = await _data.OpenAsync();
        var project = again.Project("acme", "game");
        using (Damage("objects"))
        {
            var fault = Assert.Throws<StorageFaultException>(() => again.TryResolve(sent.Reference, project, out _));
            Assert.Equal(StorageFaultKind.InputOutput, fault.Kind);
        }

        Assert.True(again.TryResolve(sent.Reference, project, out var id));
        Assert.Equal(sent.Receipt.ObjectId, id);
    }

    [Theory]
    [InlineData("projects")]
    [InlineData("sqlite_schema")]
    public async Task So_is_a_list_of_projects_that_cannot_be_read_or_whose_catalog_cannot_be_opened(string table)
    {
        await using (var store = await _data.OpenAsync())
        {
            await store.SubmitAsync(StoreActions.Bytes(3000));
        }

        using var lookups = new CatalogLookups(Path.Combine(_data.Path, "catalog.db"));
        using (Damage(table))
        {
            Assert.Equal(StorageFaultKind.InputOutput, Assert.Throws<StorageFaultException>(lookups.AllProjects).Kind);
        }

        Assert.Equal(("acme", "game"), Assert.Single(lookups.AllProjects().Values));
    }

    /// <summary>Makes a table's root page one that no b-tree has, until it is disposed.</summary>
    private Restored Damage(string table)
    {
        var path = Path.Combine(_data.Path, "catalog.db");
        using var connection = CatalogConnection.OpenForReading(path);
        var root = Math.Max(1, connection.Scalar($"SELECT max(rootpage) FROM sqlite_schema WHERE name='{table}'"));
        var at = root == 1 ? 100 : (root - 1) * connection.Scalar("PRAGMA page_size"); // the first page begins with the file's header
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite) { Position = at };
        var kind = file.ReadByte();
        Write(path, at, 0xFF);
        return new(() => Write(path, at, (byte)kind));
    }

    private static void Write(string path, long at, byte value)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite) { Position = at };
        file.WriteByte(value);
    }

    private sealed class Restored(Action restore) : IDisposable
    {
        public void Dispose() => restore();
    }
}
