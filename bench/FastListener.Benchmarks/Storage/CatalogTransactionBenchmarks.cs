using BenchmarkDotNet.Attributes;
using FastListener.Benchmarks.Running;
using FastListener.Storage.Catalog;
using FastListener.Storage.Devices;
using FastListener.TestInputs;
using Microsoft.Data.Sqlite;

namespace FastListener.Benchmarks.Storage;

/// <summary>
/// The catalog's side of a commit: one transaction that adds a batch of objects and moves the pack's end, synced. The peer runs the same
/// statements on the same schema through ADO.NET, its commands prepared and used again, its parameters boxed.
/// </summary>
[MemoryDiagnoser]
public class CatalogTransactionBenchmarks
{
    private const int Batches = 32;
    private const int SignatureBytes = 62; // 45 attributes
    private const int TableBytes = 80;

    private readonly byte[] _client = [127, 0, 0, 1];
    private readonly byte[] _table = SeededBytes.Noise(TableBytes, 4);
    private readonly byte[] _signature = SeededBytes.Noise(SignatureBytes, 5);
    private CatalogWriter? _catalog;
    private SqliteConnection? _connection;
    private SqliteCommand? _insert;
    private SqliteCommand? _setPack;
    private long _id;

    [Params(1, 8, 64)]
    public int Batch { get; set; }

    [IterationSetup(Target = nameof(FastListener))]
    public void OpenCatalog()
    {
        _id = 0;
        _catalog = CatalogWriter.Open(Path.Combine(DiskRoom.NewDirectory("catalog"), "catalog.db"), create: true);
        _catalog.SyncLogThrough(new LinuxDevice());
    }

    [IterationCleanup(Target = nameof(FastListener))]
    public void CloseCatalog()
    {
        var objects = _catalog!.Connection.Scalar("SELECT count(*) FROM objects");
        _catalog.Dispose();
        Check(objects);
    }

    [IterationSetup(Target = nameof(AdoNet))]
    public void OpenPeer()
    {
        _id = 0;
        var path = Path.Combine(DiskRoom.NewDirectory("ado"), "catalog.db");
        CatalogWriter.Open(path, create: true).Dispose();
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        _connection.Open();
        using (var pragma = _connection.CreateCommand())
        {
            pragma.CommandText = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0";
            pragma.ExecuteNonQuery();
        }

        _insert = Command("INSERT INTO objects VALUES($p0,$p1,$p2,$p3,$p4,$p5,$p6,$p7,$p8,$p9,$p10,$p11,$p12,$p13,$p14,$p15,$p16,$p17,$p18)", 19);
        _setPack = Command(
            "INSERT INTO packs(id, instance, committed_end, synced_end, is_open) VALUES($p0,$p1,$p2,$p3,1) "
            + "ON CONFLICT(id) DO UPDATE SET committed_end=excluded.committed_end, synced_end=excluded.synced_end",
            4);
    }

    [IterationCleanup(Target = nameof(AdoNet))]
    public void ClosePeer()
    {
        using var count = _connection!.CreateCommand();
        count.CommandText = "SELECT count(*) FROM objects";
        var objects = (long)count.ExecuteScalar()!;
        _insert!.Dispose();
        _setPack!.Dispose();
        _connection.Dispose();
        Check(objects);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Batches)]
    public void AdoNet()
    {
        for (var batch = 1; batch <= Batches; batch++)
        {
            using var transaction = _connection!.BeginTransaction();
            _insert!.Transaction = _setPack!.Transaction = transaction;
            for (var i = 0; i < Batch; i++)
            {
                var id = ++_id;
                Run(_insert, id, 7L, 1L, 1L, 0L, id, id, _client, 1L, id * 22_528, 22_528L, 1L, 20_480L, _table, _signature, 1L, 21_000L, 20_480L, string.Empty);
            }

            Run(_setPack, 1L, 1L, _id * 22_528, _id * 22_528);
            transaction.Commit();
        }
    }

    [Benchmark(OperationsPerInvoke = Batches)]
    public void FastListener()
    {
        for (var batch = 1; batch <= Batches; batch++)
        {
            _catalog!.Begin();
            for (var i = 0; i < Batch; i++)
            {
                var id = ++_id;
                var row = new ObjectRow(id, 7, 1, 1, 0, id, id, new RecordPlace(1, id * 22_528, 22_528), 1, 20_480);
                _catalog.AddObject(row, new Charge(1, 21_000, 20_480), _client, _table, _signature, degraded: default);
            }

            _catalog.SetPack(1, 1, _id * 22_528, _id * 22_528);
            _catalog.Commit();
        }
    }

    private SqliteCommand Command(string text, int parameters)
    {
        var command = _connection!.CreateCommand();
#pragma warning disable CA2100 // both texts stand above
        command.CommandText = text;
#pragma warning restore CA2100
        for (var i = 0; i < parameters; i++)
        {
            command.Parameters.Add(new SqliteParameter { ParameterName = $"$p{i}", Value = 0L });
        }

        command.Prepare();
        return command;
    }

    private static void Run(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i];
        }

        command.ExecuteNonQuery();
    }

    private void Check(long objects)
    {
        if (objects == 0 || objects != _id)
        {
            throw new InvalidOperationException($"{objects} objects in the catalog instead of {_id}.");
        }
    }
}
