using System.Globalization;

namespace FastListener.Fuzz.Packs;

/// <summary>A data directory in memory, where there is a file system for that, one per process and target.</summary>
internal sealed class ScratchDirectory : IDisposable
{
    private static int _count;

    public ScratchDirectory(string name)
    {
        var root = Directory.Exists("/dev/shm") ? "/dev/shm" : System.IO.Path.GetTempPath();
        Path = System.IO.Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"fastlistener-fuzz-{name}-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}"));
        Renew();
    }

    public string Path { get; }

    /// <summary>An empty directory with room for packs.</summary>
    public void Renew()
    {
        Dispose();
        Directory.CreateDirectory(Path + "/packs");
    }

    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
