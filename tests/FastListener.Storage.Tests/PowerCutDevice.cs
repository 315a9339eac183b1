namespace FastListener.Storage.Tests;

/// <summary>What a power cut takes with it of what was not synced.</summary>
public enum Loss
{
    /// <summary>All of it: data, lengths, names.</summary>
    Everything,

    /// <summary>Nothing: the system had written it back by itself.</summary>
    Nothing,

    /// <summary>Names stay; of unsynced data the first half stays.</summary>
    HalfOfTheData,

    /// <summary>All of it, and what was written to the catalog's log and not synced.</summary>
    EverythingAndTheLog,
}

/// <summary>
/// A disk that knows what would survive a power cut: of a file what its last data sync covered, of a directory the names its last sync covered.
/// It stops before the n-th call. The catalog is SQLite's own business on the real file system: the surviving directory gets its files as they are
/// at the cut, or its log as it was when it was last synced.
/// </summary>
public sealed class PowerCutDevice : TestDevice
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Inode> _now = [];
    private readonly Dictionary<string, Dictionary<string, Inode>> _durable = [];
    private readonly string _root;
    private readonly long _cutBefore;
    private byte[]? _log;

    public PowerCutDevice(string root, long cutBefore = long.MaxValue)
    {
        _root = root;
        _cutBefore = cutBefore;
        Before = Count;
    }

    /// <summary>Called in the moment of the cut, before anybody notices it and puts anything in order.</summary>
    public Action<PowerCutDevice>? AtCut { get; init; }

    public long Calls { get; private set; }

    public bool IsCut { get; private set; }

    /// <summary>Pretend that these calls do not make anything durable, to show that the simulation notices.</summary>
    public bool ForgetDirectorySyncs { get; init; }

    /// <inheritdoc cref="ForgetDirectorySyncs"/>
    public bool ForgetDataSyncs { get; init; }

    public override StorageFile Create(string path, bool direct)
    {
        var file = base.Create(path, direct);
        lock (_lock)
        {
            _now[path] = new Inode { Path = path };
        }

        return file;
    }

    public override StorageFile OpenExisting(string path)
    {
        var file = base.OpenExisting(path);
        Log(path); // whatever is in it was synced by SQLite itself
        return file;
    }

    public override bool CreateDirectory(string path)
    {
        var created = base.CreateDirectory(path);
        lock (_lock)
        {
            _now.TryAdd(path, new Inode { Path = path, IsDirectory = true });
        }

        return created;
    }

    public override void SyncDirectory(string path)
    {
        base.SyncDirectory(path);
        if (!ForgetDirectorySyncs || path == _root)
        {
            lock (_lock)
            {
                _durable[path] = NamesIn(path);
            }
        }
    }

    public override void Rename(string source, string target)
    {
        base.Rename(source, target);
        lock (_lock)
        {
            if (_now.Remove(source, out var inode))
            {
                inode.Path = target;
                _now[target] = inode;
            }
        }
    }

    public override void Delete(string path)
    {
        base.Delete(path);
        lock (_lock)
        {
            if (_now.Remove(path, out var inode))
            {
                inode.Path = null;
            }
        }
    }

    public override void DeleteDirectory(string path)
    {
        base.DeleteDirectory(path);
        lock (_lock)
        {
            _now.Remove(path);
        }
    }

    /// <summary>Builds the directory that a start after the cut would find.</summary>
    public void Survive(string target, Loss loss)
    {
        Directory.CreateDirectory(target);
        lock (_lock)
        {
            var names = loss is Loss.Everything or Loss.EverythingAndTheLog ? _durable : _durable.Keys.Concat(_now.Values.Where(n => n.IsDirectory).Select(n => n.Path!)).Append(_root).Distinct().ToDictionary(d => d, NamesIn);
            Restore(_root, target, names, loss);
        }

        foreach (var file in Directory.EnumerateFiles(_root, "catalog.db*").Where(f => !f.EndsWith("-shm", StringComparison.Ordinal)))
        {
            var copy = Path.Combine(target, Path.GetFileName(file));
            if (loss == Loss.EverythingAndTheLog && _log is not null && IsLog(file))
            {
                File.WriteAllBytes(copy, _log);
            }
            else
            {
                File.Copy(file, copy);
            }
        }
    }

    protected override void Synced(string path)
    {
        if (!ForgetDataSyncs)
        {
            lock (_lock)
            {
                if (_now.TryGetValue(path, out var inode))
                {
                    inode.Durable = Current(path);
                }
            }

            Log(path);
        }
    }

    private static bool IsLog(string path) => path.EndsWith("catalog.db-wal", StringComparison.Ordinal);

    private void Log(string path)
    {
        if (IsLog(path))
        {
            lock (_lock)
            {
                _log = Current(path);
            }
        }
    }

    private static void Restore(string source, string target, Dictionary<string, Dictionary<string, Inode>> names, Loss loss)
    {
        foreach (var (name, inode) in names.GetValueOrDefault(source) ?? [])
        {
            var path = Path.Combine(target, name);
            if (inode.IsDirectory)
            {
                Directory.CreateDirectory(path);
                Restore(Path.Combine(source, name), path, names, loss);
                continue;
            }

            var durable = inode.Durable ?? [];
            var current = inode.Path is null ? durable : Current(inode.Path);
            File.WriteAllBytes(path, loss switch
            {
                Loss.Nothing => current,
                Loss.HalfOfTheData when current.Length > durable.Length => current[..(durable.Length + (current.Length - durable.Length) / 2)],
                _ => durable,
            });
        }
    }

    private static byte[] Current(string path) => File.Exists(path) ? File.ReadAllBytes(path) : [];

    private Dictionary<string, Inode> NamesIn(string directory) =>
        _now.Where(n => Path.GetDirectoryName(n.Key) == directory).ToDictionary(n => Path.GetFileName(n.Key), n => n.Value);

    private void Count(string call, string path)
    {
        lock (_lock)
        {
            Calls++;
            if (!IsCut && Calls >= _cutBefore)
            {
                IsCut = true;
                AtCut?.Invoke(this);
            }

            if (IsCut)
            {
                throw new StorageFaultException(StorageFaultKind.InputOutput, $"Power was cut before {call} {path}.");
            }
        }
    }

    private sealed class Inode
    {
        public string? Path { get; set; }

        public bool IsDirectory { get; init; }

        public byte[]? Durable { get; set; }
    }
}
