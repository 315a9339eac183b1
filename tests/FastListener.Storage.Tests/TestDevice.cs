using FastListener.Storage.Devices;

namespace FastListener.Storage.Tests;

/// <summary>The real disk with a hook before every call. The hook may throw; then the call does not happen.</summary>
public class TestDevice : StorageDevice
{
    private readonly LinuxDevice _disk = new();

    /// <summary>Called with the call's name and path.</summary>
    public Action<string, string> Before { get; set; } = (_, _) => { };

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
