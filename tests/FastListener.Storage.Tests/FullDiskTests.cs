using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastListener.Storage.Tests;

/// <summary>A real file system that is really full: a small tmpfs, or a small ext4 in a file.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const long Mebibyte = 1024 * 1024;

    private readonly string _mount = Path.Combine(Path.GetTempPath(), "fl-full-" + Guid.NewGuid().ToString("N"));
    private bool _mounted;
    private string? _image;

    public void Dispose()
    {
        if (_mounted)
        {
            Run("umount", "-l", _mount);
        }

        Directory.Delete(_mount, recursive: true);
        if (_image is not null)
        {
            File.Delete(_image);
        }
    }

    [Fact]
    public async Task A_full_disk_refuses_what_does_not_fit_and_serves_again_when_there_is_room()
    {
        Mount(24);
        var options = new StoreOptions { DataDirectory = _mount + "/data" };
        await using (var store = await ObjectStore.OpenAsync(options, NullLogger.Instance))
        {
            var acked = new List<Sent> { await store.SubmitAsync(StoreActions.Bytes(20_000)) };
            var ballast = _mount + "/ballast";
            await File.WriteAllBytesAsync(ballast, new byte[12 * 1024 * 1024]);
            StorageFaultException? small = null;
            for (var i = 0; i < 100 && small is null; i++)
            {
                try
                {
                    acked.Add(await store.SubmitAsync(StoreActions.Bytes(400_000, i)));
                }
                catch (StorageFaultException fault)
                {
                    small = fault;
                }
            }

            var large = await Assert.ThrowsAsync<StorageFaultException>(() => store.SubmitAsync(StoreActions.Bytes(14_000_000)));
            Assert.Equal((StorageFaultKind.DiskFull, StorageFaultKind.DiskFull), (small?.Kind, large.Kind));
            using (var reader = StoreReader.Open(options.DataDirectory))
            {
                Assert.All(acked, reader.AssertHolds);
            }

            for (var i = 0; i < 30; i++)
            {
                await Assert.ThrowsAsync<StorageFaultException>(() => store.SubmitAsync(StoreActions.Bytes(900_000)));
            }

            File.Delete(ballast);
            acked.Add(await store.SubmitAsync(StoreActions.Bytes(900_000)));
            acked.Add(await store.SubmitAsync(StoreActions.Bytes(2_000_000)));
            Assert.Null(store.Statistics.CurrentFault);
            Scenario.AssertKept(options.DataDirectory, acked, []);
            await store.DisposeAsync();
            await using var again = await ObjectStore.OpenAsync(options, NullLogger.Instance);
            Scenario.AssertKept(options.DataDirectory, acked, []);
        }
    }

    [Theory]
    [InlineData("tmpfs")]
    [InlineData("ext4")]
    public async Task At_zero_bytes_free_the_catalog_commits_and_a_start_succeeds_and_nothing_else_takes_the_reserve(string type)
    {
        Mount(type == "tmpfs" ? 32 : 64, type);
        var options = new StoreOptions { DataDirectory = _mount + "/data" };
        var reserve = new FileInfo(options.DataDirectory + "/reserve");
        var device = new TestDevice();
        var kept = new List<Sent>();
        await using (var store = await ObjectStore.OpenAsync(options, NullLogger.Instance, device: device))
        {
            kept.Add(await store.SubmitAsync(StoreActions.Bytes(20_000)));
            FillUp();
            Assert.Equal((0, 4 * Mebibyte), (Free(), reserve.Length)); // no hole: it is really taken
            while (await Record.ExceptionAsync(async () => kept.Add(await store.SubmitAsync(StoreActions.Bytes(90_000)))) is null)
            {
                // There may be room in what was written ahead of the pack.
            }

            reserve.Refresh();
            Assert.Equal(Mebibyte, reserve.Length);
            var created = 0;
            device.Before = (call, _) => created += call is "create" ? 1 : 0; // a pack in doubt may yet be ended, with a write
            foreach (var length in (int[])[100, 3_000_000])
            {
                var refused = await Assert.ThrowsAsync<StorageFaultException>(() => store.SubmitAsync(StoreActions.Bytes(length)));
                Assert.Equal(StorageFaultKind.DiskFull, refused.Kind);
            }

            Assert.Equal(0, created);
            using (var catalog = Catalog.CatalogConnection.OpenForWriting(options.DataDirectory + "/catalog.db", create: false))
            {
                catalog.Execute("CREATE TABLE t(x); INSERT INTO t VALUES(zeroblob(300000)); DROP TABLE t");
                catalog.EmptyLog();
            }
        }

        for (var start = 0; start < 2; start++)
        {
            FillUp();
            await using var again = await ObjectStore.OpenAsync(options, NullLogger.Instance);
            Assert.True(again.Statistics.Disk.IsFull);
            await Assert.ThrowsAsync<StorageFaultException>(() => again.SubmitAsync(StoreActions.Bytes(100)));
            Scenario.AssertKept(options.DataDirectory, kept, []);
        }

        await using (var last = await ObjectStore.OpenAsync(options, NullLogger.Instance, new TimerlessTime()))
        {
            foreach (var ballast in Directory.EnumerateFiles(_mount, "ballast*"))
            {
                File.Delete(ballast);
            }

            kept.Add(await last.SubmitAsync(StoreActions.Bytes(100_001)));
            last.Reserve.Keep();
            reserve.Refresh();
            Assert.Equal(4 * Mebibyte, reserve.Length);
            Scenario.AssertKept(options.DataDirectory, kept, []);
        }
    }

    [Theory]
    [InlineData("tmpfs")]
    [InlineData("ext4")]
    public async Task At_zero_bytes_free_a_large_upload_that_is_broken_off_is_deleted_and_what_a_dead_listener_left_of_one_too(string type)
    {
        Mount(64, type);
        var options = new StoreOptions { DataDirectory = _mount + "/data", ReserveBytes = 4 * Mebibyte };
        var staging = options.DataDirectory + "/staging";
        var kept = new List<Sent>();
        await using (var store = await ObjectStore.OpenAsync(options, NullLogger.Instance, new TimerlessTime()))
        {
            kept.Add(await store.SubmitAsync(StoreActions.Bytes(20_000)));
            using (var submission = store.Begin())
            {
                submission.Project = store.Project("acme", "game");
                var payload = submission.AddPayload(PayloadKind.Report, "report"u8, "report.dmp"u8, "application/octet-stream"u8);
                await payload.WriteAsync(StoreActions.Bytes(16_000_000));
                Assert.InRange(StagedBytes(), 10_000_000, long.MaxValue);
                FillUp();
                await Assert.ThrowsAsync<StorageFaultException>(async () =>
                {
                    for (var slice = 0; slice < 16; slice++)
                    {
                        await payload.WriteAsync(StoreActions.Bytes((int)Mebibyte));
                    }
                });
            }

            for (var waiting = Stopwatch.StartNew(); Free() < 15_000_000; await Task.Delay(10, TestContext.Current.CancellationToken))
            {
                Assert.True(waiting.Elapsed < TimeSpan.FromSeconds(30), $"Of an upload that is no more {StagedBytes()} bytes are staged; {Free()} are free.");
            }

            Assert.Equal(0, StagedBytes());
            kept.Add(await store.SubmitAsync(StoreActions.Bytes(3_000_000)));
        }

        var left = Directory.CreateDirectory(Path.Combine(staging, "0badcafe")).FullName;
        await File.WriteAllBytesAsync(left + "/lock", [], TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(left + "/0badcafe-1", new byte[9_000_000], TestContext.Current.CancellationToken);
        FillUp();
        await using (var again = await ObjectStore.OpenAsync(options, NullLogger.Instance, new TimerlessTime()))
        {
            Assert.False(Directory.Exists(left));
            Assert.InRange(Free(), 8_000_000, long.MaxValue);
            Scenario.AssertKept(options.DataDirectory, kept, []);
            kept.Add(await again.SubmitAsync(StoreActions.Bytes(30_000)));
            Scenario.AssertKept(options.DataDirectory, kept, []);
        }

        long StagedBytes() => new DirectoryInfo(staging).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
    }

    private long Free() => new DriveInfo(_mount).AvailableFreeSpace;

    private void Mount(int mebibytes, string type = "tmpfs")
    {
        Directory.CreateDirectory(_mount);
        if (type == "tmpfs")
        {
            _mounted = Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "tmpfs", _mount);
            Assert.SkipUnless(_mounted, "Mounting a small tmpfs is not permitted here.");
            return;
        }

        _image = _mount + ".img";
        using (var image = File.Create(_image))
        {
            image.SetLength(mebibytes * Mebibyte);
        }

        // Nothing is kept back for root, who fills it here.
        Assert.SkipUnless(Run("mkfs.ext4", "-q", "-F", "-b", "4096", "-m", "0", "-E", "lazy_itable_init=0", _image), "mkfs.ext4 is not installed.");
        _mounted = Run("mount", "-o", "loop", _image, _mount);
        Assert.SkipUnless(_mounted, "Loop mounts are not permitted here.");
    }

    /// <summary>Takes every byte that is left, also what a file system gives back when it writes down what it has only promised.</summary>
    private void FillUp()
    {
        for (var free = long.MaxValue; free >= 4096; free = Free())
        {
            using var file = new FileStream($"{_mount}/ballast{Guid.NewGuid():N}", FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
            try
            {
                while (true)
                {
                    file.Write(new byte[4096]);
                }
            }
            catch (IOException)
            {
                // Full.
            }

            try
            {
                file.Flush(flushToDisk: true);
            }
            catch (IOException)
            {
                // Promised and not there.
            }
        }
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
