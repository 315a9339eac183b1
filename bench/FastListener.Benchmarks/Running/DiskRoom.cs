namespace FastListener.Benchmarks.Running;

/// <summary>
/// The directory that the storage benchmarks write below: on the disk that <c>FASTLISTENER_BENCH_DIR</c> names, else on the one this
/// program lies on (a temporary directory may be memory). Child processes inherit it. Nothing in it is deleted until the run is over:
/// deleting slows whoever writes next.
/// </summary>
internal sealed class DiskRoom : IDisposable
{
    private const string Chosen = "FASTLISTENER_BENCH_DIR";
    private const string Current = "FASTLISTENER_BENCH_RUN_DIR";

    private readonly string _path;

    private DiskRoom(string path) => _path = path;

    /// <summary>Makes the directory of this run.</summary>
    public static DiskRoom Open()
    {
        var parent = Environment.GetEnvironmentVariable(Chosen) is { Length: > 0 } chosen ? chosen : AppContext.BaseDirectory;
        var path = Path.Combine(parent, $"bench-run-{Guid.NewGuid():N}");
        Directory.CreateDirectory(path);
        Environment.SetEnvironmentVariable(Current, path);
        return new(path);
    }

    /// <summary>An empty directory on that disk.</summary>
    public static string NewDirectory(string purpose)
    {
        var root = Environment.GetEnvironmentVariable(Current)
            ?? throw new InvalidOperationException("Storage benchmarks need the directory that the program makes for a run: start them through it.");
        return Directory.CreateDirectory(Path.Combine(root, $"{purpose}-{Guid.NewGuid():N}")).FullName;
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_path, recursive: true);
}
