using System.Diagnostics;
using FastListener.Storage.Devices;

namespace FastListener.Storage.Tests;

/// <summary>The real disk with a hook before every call. The hook may throw; then the call does not happen.</summary>
public class TestDevice : StorageDevice
{
    private readonly LinuxDevice _disk = new();

    /// <summary>Called with the call's name and path.</summary>
    public Action<string, string> Before { get; set; } = (_, _) => { };

    /// <summary>While it is not set, syncs of packs wait before anything counts them: what is submitted meanwhile comes into one batch.</summary>
    public ManualResetEventSlim? PackSyncs { get; set; }

    /// <summary>
    /// From now on the pack's sync fails, each time only after the catalog has committed; the first sync of the catalog's log is that commit's, and so
    /// many after it fail, too: those of the undoing. Counts the log's syncs.
    /// </summary>
    public Func<int> LosePackAfterTheCatalogHasCommitted(string pack, int failingUndos)
    {
        var committed = new ManualResetEventSlim();
        var logSyncs = 0;
        Before = (call, path) =>
        {
            if (call == "sync" && path == pack && Thread.CurrentThread.Name == "pack")
            {
                Assert.True(committed.Wait(TimeSpan.FromSeconds(30)));
                throw new StorageFaultException(StorageFaultKind.InputOutput, "The disk lost it.");
            }

            if (call == "sync" && path.EndsWith("-wal", StringComparison.Ordinal))
            {
                committed.Set();
                if (++logSyncs is > 1 and var count && count <= 1 + failingUndos)
                {
                    throw new StorageFaultException(StorageFaultKind.InputOutput, "The disk lost that, too.");
                }
            }
        };
        return () => logSyncs;
    }

    public override StorageFile Create(string path, bool direct)
    {
        Before("create", path);
        return new HookedFile(this, _disk.Create(path, direct && !RefusesDirect), path);
    }

    public override StorageFile OpenExisting(string path)
    {
        Before("open", path);
        return new HookedFile(this, _disk.OpenExisting(path), path);
    }

    public override bool CreateDirectory(string path)
    {
        Before("mkdir", path);
        return _disk.CreateDirectory(path);
    }

    public override void SyncDirectory(string path)
    {
        Before("syncdir", path);
        _disk.SyncDirectory(path);
    }

    public override void Rename(string source, string target)
    {
        Before("rename", target);
        _disk.Rename(source, target);
    }

    public override void Delete(string path)
    {
        Before("delete", path);
        _disk.Delete(path);
    }

    public override void DeleteDirectory(string path)
    {
        Before("rmdir", path);
        _disk.DeleteDirectory(path);
    }

    /// <summary>A file system that knows only the page cache: opening past it succeeds without.</summary>
    public bool RefusesDirect { get; set; }

    public override bool SupportsDirect(string directory) => !RefusesDirect && _disk.SupportsDirect(directory);

    /// <summary>The space that the store sees; null: the file system's own.</summary>
    public (long Total, long Free)? Seen { get; set; }

    public override (long Total, long Free) Space(string directory) => Seen ?? _disk.Space(directory);

    /// <summary>The inodes that the store sees; null: the file system's own.</summary>
    public (long Total, long Free)? SeenFiles { get; set; }

    public override (long Total, long Free) Files(string directory) => SeenFiles ?? _disk.Files(directory);

    protected virtual void Written(string path, long offset, ReadOnlySpan<byte> bytes)
    {
    }

    protected virtual void Synced(string path)
    {
    }

    private sealed class HookedFile : StorageFile
    {
        private readonly TestDevice _device;
        private readonly StorageFile _file;
        private readonly string _path;

        public HookedFile(TestDevice device, StorageFile file, string path)
        {
            _device = device;
            _file = file;
            _path = path;
            IsDirect = _file.IsDirect;
        }

        public override void BecomeBuffered()
        {
            _file.BecomeBuffered();
            IsDirect = _file.IsDirect;
        }

        public override void Write(ReadOnlySpan<byte> bytes, long offset)
        {
            _device.Before("write", _path);
            _file.Write(bytes, offset);
            _device.Written(_path, offset, bytes);
        }

        public override void SyncData()
        {
            if (_path.EndsWith(".pack", StringComparison.Ordinal))
            {
                _device.PackSyncs?.Wait(TimeSpan.FromSeconds(30));
            }

            _device.Before("sync", _path);
            _file.SyncData();
            _device.Synced(_path);
        }

        public override void SetLength(long length)
        {
            _device.Before("cut", _path);
            _file.SetLength(length);
        }

        public override void Allocate(long length)
        {
            _device.Before("allocate", _path);
            _file.Allocate(length);
        }

        public override void StartWriteBack(long offset, long length) => _file.StartWriteBack(offset, length);

        public override void DropBehind(long offset, long length) => _file.DropBehind(offset, length);

        protected override void Dispose(bool disposing) => _file.Dispose();
    }
}

/// <summary>A submission-level scenario that uses every path to the disk: inline, large, late, a pack that is full.</summary>
public static class Scenario
{
    /// <summary>The most that one batch of <see cref="RunTogetherAsync"/> holds.</summary>
    public const int MostTogether = 6;

    private const int TogetherRounds = 2;

    public static StoreOptions Options(string path) => new()
    {
        DataDirectory = path,
        InlineLimitBytes = 4096,
        LargeBufferBytes = 8192,
        PackBytes = 30_000,
        FileThreads = 1,
        ReserveBytes = 0,
    };

    /// <summary>Submits one after the other; gives back what was acknowledged, and what was not.</summary>
    public static async Task<(List<Sent> Acked, List<(long ObjectId, byte[] Bytes)> Attached, int Refused)> RunAsync(ObjectStore store, int seed = 0)
    {
        var acked = new List<Sent>();
        var attached = new List<(long, byte[])>();
        var refused = 0;
        foreach (var size in (int[])[3000, 20_000, 1000, 9000, 50_000])
        {
            try
            {
                acked.Add(await store.SubmitAsync(StoreActions.Bytes(size, seed + size), attachments: [StoreActions.Bytes(100, size), []]));
            }
            catch (IOException)
            {
                refused++;
            }

            if (acked.Count == 0)
            {
                continue;
            }

            try
            {
                var bytes = StoreActions.Bytes(size / 2, size);
                var receipt = await store.AttachAsync(acked[0].Receipt.ObjectId, "late", bytes);
                attached.Add((receipt.ObjectId, bytes));
            }
            catch (IOException)
            {
                refused++;
            }
        }

        return (acked, attached, refused);
    }

    /// <summary>
    /// The same paths with several in each batch: one is committed, and everything else of its round queues up behind it, large files and late attachments
    /// among it. Gives back the same; what was refused may be as many as there were in one batch.
    /// </summary>
    public static async Task<(List<Sent> Acked, List<(long ObjectId, byte[] Bytes)> Attached, int Refused)> RunTogetherAsync(ObjectStore store, TestDevice device)
    {
        var acked = new List<Sent>();
        var attached = new List<(long, byte[])>();
        var refused = 0;
        await TryAsync(async () => acked.Add(await store.SubmitAsync(StoreActions.Bytes(3000))));
        for (var round = 1; round <= TogetherRounds; round++)
        {
            using var syncs = new ManualResetEventSlim();
            device.PackSyncs = syncs;
            var pending = new List<Task>();
            try
            {
                foreach (var size in (int[])[1000, 20_000, 2000, 9000])
                {
                    pending.Add(SubmitAsync(size + round));
                }

                if (acked.Count > 0)
                {
                    var first = acked[0].Receipt.ObjectId;
                    pending.Add(AttachAsync(first, 500 + round));
                    pending.Add(AttachAsync(first, 10_000 + round));
                }

                var waiting = Stopwatch.StartNew();
                while (store.Statistics is var now && now.Queued + now.Committing < pending.Count(task => !task.IsCompleted) && waiting.Elapsed < TimeSpan.FromSeconds(30))
                {
                    await Task.Delay(1);
                }
            }
            finally
            {
                device.PackSyncs = null;
                syncs.Set();
                await Task.WhenAll(pending);
            }
        }

        return (acked, attached, refused);

        Task SubmitAsync(int size) => TryAsync(async () =>
        {
            var sent = await store.SubmitAsync(StoreActions.Bytes(size, size), attachments: [StoreActions.Bytes(100, size), []]);
            lock (acked)
            {
                acked.Add(sent);
            }
        });

        Task AttachAsync(long objectId, int size) => TryAsync(async () =>
        {
            var bytes = StoreActions.Bytes(size, size);
            await store.AttachAsync(objectId, "late", bytes);
            lock (attached)
            {
                attached.Add((objectId, bytes));
            }
        });

        async Task TryAsync(Func<Task> act)
        {
            try
            {
                await act();
            }
            catch (IOException)
            {
                Interlocked.Increment(ref refused);
            }
        }
    }

    /// <summary>When nothing fails: one batch, and in each round one of the first and one of the rest.</summary>
    public static void AssertTogether(ObjectStore store)
    {
        var now = store.Statistics;
        Assert.Equal((1 + (4 * TogetherRounds), 2 * TogetherRounds), (now.Objects, now.LateAttachments));
        Assert.InRange(now.Batches, 1 + TogetherRounds, 1 + (2 * TogetherRounds));
    }

    /// <summary>Everything acknowledged is there and identical; everything else is whole or absent; nothing is damaged.</summary>
    public static void AssertKept(string path, List<Sent> acked, List<(long ObjectId, byte[] Bytes)> attached)
    {
        using (var reader = StoreReader.Open(path))
        {
            Assert.All(acked, reader.AssertHolds);
            foreach (var (objectId, bytes) in attached)
            {
                var late = reader.Find(ObjectReference.ForId(objectId))!.Payloads.Where(p => p.Name == "late").Select(p => p.Checksum);
                Assert.Contains(StoreActions.Checksum(bytes), late);
            }
        }

        var report = Verification.Run(path);
        Assert.True(report.IsClean, string.Join("; ", report.Damaged));
        var audit = Audit.Run(path);
        Assert.True(audit.IsClean, string.Join("; ", audit.Differences));
    }
}
