using System.Diagnostics;

namespace FastListener.Storage.Tests;

/// <summary>A real file system that is really full: a small tmpfs.</summary>
public sealed class FullDiskTests : IDisposable
{
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
        Directory.CreateDirectory(_mount);
        _mounted = Run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", _mount);
        Assert.SkipUnless(_mounted, "Mounting a small tmpfs is not permitted here.");
        var options = new StoreOptions { DataDirectory = _mount + "/data" };
        await using (var store = await ObjectStore.OpenAsync(options, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance))
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
            await using var again = await ObjectStore.OpenAsync(options, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
            Scenario.AssertKept(options.DataDirectory, acked, []);
        }
    }

    private static bool Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
