namespace FastListener.SystemTests.Harness;

/// <summary>A tmpfs of a few MiB: a disk that can be filled. Mounting needs root; without it the test is skipped and says so.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private SmallDisk(string mount) => Mount = mount;

    public string Mount { get; }

    public static async Task<SmallDisk> MountAsync(DataDirectory folder, int mebibytes)
    {
        var mount = folder.Scratch("small");
        Directory.CreateDirectory(mount);
        var mounted = await Command.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={mebibytes}m", "tmpfs", mount]);
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

    public async ValueTask DisposeAsync() => await Command.RunAsync("umount", ["-l", Mount]);
}
