namespace FastListener.SystemTests.Harness;

/// <summary>A tmpfs of a few MiB, and of a few files where a test says so: a disk that can be filled. Mounting needs root; without it the test is skipped and says so.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private SmallDisk(string mount) => Mount = mount;

    public string Mount { get; }

    public static async Task<SmallDisk> MountAsync(DataDirectory folder, int mebibytes, int? files = null)
    {
        var mount = folder.Scratch("small");
        Directory.CreateDirectory(mount);
        var mounted = await Command.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={mebibytes}m{(files is { } most ? $",nr_inodes={most}" : "")}", "tmpfs", mount]);
        Assert.SkipWhen(mounted.ExitCode != 0, $"A tmpfs cannot be mounted here: {mounted.Error.Trim()}");
        return new SmallDisk(mount);
    }

    /// <summary>Takes every byte that is left.</summary>
    public static void FillUp(string ballast)
    {
        using var file = new FileStream(ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var block = 1024 * 1024; block >= 4096; block /= 16)
        {
            try
            {
                while (true)
                {
                    file.Write(new byte[block]);
                }
            }
            catch (IOException)
            {
                // Full for blocks of this size; go on with smaller ones.
            }
        }
    }

    /// <summary>Makes empty files in a folder until the file system can hold no further one.</summary>
    public static void FillUpWithFiles(string folder)
    {
        Directory.CreateDirectory(folder);
        for (var made = 0; ; made++)
        {
            try
            {
                File.Create(Path.Combine(folder, $"{made}")).Dispose();
            }
            catch (IOException)
            {
                return;
            }
        }
    }

    public async ValueTask DisposeAsync() => await Command.RunAsync("umount", ["-l", Mount]);
}
