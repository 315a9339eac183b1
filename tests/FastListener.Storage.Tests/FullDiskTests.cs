using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastListener.Storage.Tests;

/// <summary>A real file system that is really full: a small tmpfs.</summary>
public sealed class FullDiskTests : IDisposable
{
    private const long Mebibyte = 1024 * 1024;

    private readonly string _mount = Path.Combine(Path.GetTempPath(), "fl-full-" + Guid.NewGuid().ToString("N"));
    private bool _mounted;

    public void Dispose()
    {
        if (_mounted)
        {
            Run("umount", "-l", _mount);
        }

        Directory.Delete(_mount, recursive: true);
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

    [Fact]
    public async Task At_zero_bytes_free_the_catalog_commits_and_a_start_succeeds_and_nothing_else_takes_the_reserve()
    {
        Mount(32);
        var options = new StoreOptions { DataDirectory = _mount + "/data" };
        var reserve = new FileInfo(options.DataDirectory + "/reserve");
        var device = new TestDevice();
        var kept = new List<Sent>();
        await using (var store = await ObjectStore.OpenAsync(options, NullLogger.Instance, device: device))
        {
            kept.Add(await store.SubmitAsync(StoreActions.Bytes(20_000)));
            FillUp();
            Assert.Equal((0, 4 * Mebibyte), (new DriveInfo(_mount).AvailableFreeSpace, reserve.Length)); // no hole: it is really taken
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

    private void Mount(int mebibytes)
    {
        Directory.CreateDirectory(_mount);
        _mounted = Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "tmpfs", _mount);
        Assert.SkipUnless(_mounted, "Mounting a small tmpfs is not permitted here.");
    }

    /// <summary>Takes every byte that is left.</summary>
    private void FillUp()
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
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
