using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Restart;

/// <summary>
/// An ext4 file system in a file, mounted through a loop device. What its page cache holds and nobody has synced is not in the file:
/// a copy of the file is what a disk would hold after the power went.
/// </summary>
internal sealed class LoopImage : IAsyncDisposable
{
    /// <summary>A long commit interval keeps the file system from writing down by itself what nobody synced.</summary>
    private const string JournalOptions = "loop,commit=300";

    private readonly string _file;

    private LoopImage(string file, string mount)
    {
        _file = file;
        Mount = mount;
    }

    public string Mount { get; }

    /// <summary>The loop device below the mount, as in /dev/loop3.</summary>
    public async Task<string> DeviceAsync() =>
        (await Command.RunAsync("findmnt", ["-n", "-o", "SOURCE", Mount])).Expect().Output.Trim();

    /// <summary>
    /// Makes and mounts an empty image; null with the reason when this machine does not let us. Without a journal, syncing one file
    /// writes down nothing of any other: with one, it takes every earlier rename along. Files are mapped by indirect blocks then: a tree of
    /// extents that is being changed is half written whenever a neighbour in the inode table is synced, and takes synced blocks with it.
    /// </summary>
    public static async Task<(LoopImage? Image, string Reason)> TryCreateAsync(string folder, int mebibytes, bool journal)
    {
        if (Command.Find("mkfs.ext4") is not { } mkfs || Command.Find("losetup") is null)
        {
            return (null, "mkfs.ext4 or losetup is not installed.");
        }

        var file = Path.Combine(folder, "disk.img");
        await using (var image = File.Create(file))
        {
            image.SetLength(mebibytes * 1024L * 1024);
        }

        string[] features = journal ? [] : ["-O", "^has_journal,^extents,^64bit,^metadata_csum"];
        (await Command.RunAsync(mkfs, ["-q", "-F", "-E", "lazy_itable_init=0", .. features, file])).Expect();
        return await TryMountAsync(file, Path.Combine(folder, "disk"), journal ? JournalOptions : "loop");
    }

    /// <summary>The disk as it would be found if the power went now. Take it while the writer is stopped, so that it is one moment.</summary>
    public async Task<string> CopyAsync(string target)
    {
        (await Command.RunAsync("cp", ["--sparse=always", _file, target])).Expect();
        return target;
    }

    /// <summary>
    /// Mounts a copy as a machine does after the power came back: by its journal. Without one it is mounted as it is, to be read only: the repair that
    /// a machine would make first may take away what was synced, so that it would say nothing about what the listener had synced.
    /// </summary>
    public static async Task<LoopImage> MountCopyAsync(string file, string mount, bool journal)
    {
        var (image, reason) = await TryMountAsync(file, mount, journal ? JournalOptions : "loop,ro");
        return image ?? throw new InvalidOperationException($"The copied image cannot be mounted: {reason}");
    }

    /// <summary>Unmounts and mounts again, as an operator does after a fault.</summary>
    public async Task RemountAsync()
    {
        await UnmountAsync();
        var (_, reason) = await TryMountAsync(_file, Mount, JournalOptions);
        Assert.True(reason.Length == 0, reason);
    }

    public async ValueTask DisposeAsync()
    {
        await UnmountAsync();
        File.Delete(_file);
    }

    private async Task UnmountAsync()
    {
        // A listener that was just killed may need a moment to let go.
        await Eventually.TrueAsync(async () => (await Command.RunAsync("umount", [Mount])).ExitCode == 0, $"{Mount} is unmounted");
    }

    private static async Task<(LoopImage? Image, string Reason)> TryMountAsync(string file, string mount, string options)
    {
        Directory.CreateDirectory(mount);
        var result = await Command.RunAsync("mount", ["-o", options, file, mount]);
        return result.ExitCode == 0
            ? (new LoopImage(file, mount), "")
            : (null, $"Loop mounts are not permitted here: {result.Error.Trim()}");
    }
}
