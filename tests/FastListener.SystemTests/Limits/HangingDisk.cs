using FastListener.SystemTests.Harness;
using FastListener.SystemTests.Restart;

namespace FastListener.SystemTests.Limits;

/// <summary>A data directory on a file system of its own that can be frozen: until it goes on, every write and sync hangs. Wants root, fsfreeze and loop mounts.</summary>
internal sealed class HangingDisk : IAsyncDisposable
{
    private readonly DataDirectory _folder;
    private readonly LoopImage _image;

    private HangingDisk(DataDirectory folder, LoopImage image)
    {
        (_folder, _image) = (folder, image);
        Data = new DataDirectory(Path.Combine(image.Mount, "data"));
    }

    public DataDirectory Data { get; }

    /// <summary>Skips the test where this cannot be done.</summary>
    public static async Task<HangingDisk> CreateAsync()
    {
        Assert.SkipWhen(Command.Find("fsfreeze") is null, "fsfreeze is not installed.");
        var folder = new DataDirectory();
        var (image, reason) = await LoopImage.TryCreateAsync(Directory.CreateDirectory(folder.Scratch("disk")).FullName, 256, journal: true);
        if (image is null)
        {
            folder.Dispose();
            Assert.Skip(reason);
        }

        return new HangingDisk(folder, image);
    }

    public async Task HangAsync() => (await Command.RunAsync("fsfreeze", ["-f", _image.Mount])).Expect();

    /// <summary>Before the listener is disposed of, whatever the test came to: a process that hangs in the kernel cannot be killed.</summary>
    public async Task GoOnAsync() => (await Command.RunAsync("fsfreeze", ["-u", _image.Mount])).Expect();

    public async ValueTask DisposeAsync()
    {
        Data.Dispose();
        await _image.DisposeAsync();
        _folder.Dispose();
    }
}
