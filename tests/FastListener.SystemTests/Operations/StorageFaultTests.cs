using FastListener.SystemTests.Harness;
using FastListener.SystemTests.Restart;

namespace FastListener.SystemTests.Operations;

/// <summary>A disk that is full, or refuses to be written: an honest 5xx, a living process, and recovery by itself.</summary>
public sealed class StorageFaultTests
{
    [Fact]
    public async Task A_full_disk_is_answered_honestly_and_forgotten_when_space_returns()
    {
        using var folder = new DataDirectory();
        await using var disk = await SmallDisk.MountAsync(folder, 128);
        using var data = new DataDirectory(Path.Combine(disk.Mount, "data"));
        var token = await data.AddTokenAsync("game");
        await using var listener = await ListenerProcess.StartAsync(data.Location);
        var kept = new Dictionary<string, string>();
        Keep(kept, listener, token, seed: 1, length: 20_000);

        foreach (var round in Enumerable.Range(1, 3))
        {
            var ballast = Path.Combine(disk.Mount, "ballast");
            SmallDisk.FillUp(ballast);
            var refused = Enumerable.Range(0, 40)
                .Select(index => Submit.Dump(listener.HttpPort, token, Submit.MadeDump(index, index % 4 == 0 ? 3_000_000 : 200_000)))
                .Select(reply => Acknowledge(kept, reply))
                .Where(reply => reply.Status != 200)
                .ToList();
            Assert.NotEmpty(refused);
            Assert.All(refused, AssertHonest);
            Assert.False(listener.HasExited);

            File.Delete(ballast);
            await Eventually.TrueAsync(
                () => Submit.Dump(listener.HttpPort, token, Submit.MadeDump(round, 100_000)) is var reply && Acknowledge(kept, reply).Status == 200,
                $"round {round}: submissions are taken again once there is space");
            Keep(kept, listener, token, seed: 100 + round, length: 2_500_000);
        }

        await AssertKeptAsync(data, kept);
        Assert.Empty(data.StagedFiles());
        Assert.Equal(0, await listener.StopAsync());
        await using var again = await ListenerProcess.StartAsync(data.Location);
        await AssertKeptAsync(data, kept);
    }

    [Fact]
    public async Task A_listener_starts_on_a_disk_without_a_free_byte_and_takes_uploads_as_soon_as_there_is_room()
    {
        using var folder = new DataDirectory();
        await using var disk = await SmallDisk.MountAsync(folder, 96);
        using var data = new DataDirectory(Path.Combine(disk.Mount, "data"));
        var token = await data.AddTokenAsync("game");
        var kept = new Dictionary<string, string>();
        await using (var listener = await ListenerProcess.StartAsync(data.Location))
        {
            Keep(kept, listener, token, seed: 1, length: 20_000);
            Keep(kept, listener, token, seed: 2, length: 2_000_000);
            SmallDisk.FillUp(Path.Combine(disk.Mount, "ballast1"));
            await Eventually.TrueAsync(() => Acknowledge(kept, Submit.Dump(listener.HttpPort, token, Submit.MadeDump(3, 300_000))).Status == 503, "the disk is full");
            await listener.KillAsync(); // in the middle of what a full disk does to it
        }

        foreach (var start in Enumerable.Range(1, 2))
        {
            SmallDisk.FillUp(Path.Combine(disk.Mount, $"ballast1{start}"));
            await using var listener = await ListenerProcess.StartAsync(data.Location);
            foreach (var length in new[] { 1000, 2_000_000 })
            {
                var refused = Submit.Dump(listener.HttpPort, token, Submit.MadeDump(length, length));
                AssertHonest(refused);
                Assert.Equal("storage_full", refused.Header("FastListener-Reason"));
            }

            Assert.Equal(kept.Count, (await data.ListAsync()).Count);
            await data.AssertSoundAsync();
            await Eventually.TrueAsync(() => listener.StandardError.Contains("Pressure: disk", StringComparison.Ordinal), "the log says what is short");
            Assert.Contains("The disk runs short", listener.StandardError, StringComparison.Ordinal);
            if (start == 1)
            {
                await listener.KillAsync();
                continue;
            }

            foreach (var ballast in Directory.GetFiles(disk.Mount, "ballast*"))
            {
                File.Delete(ballast);
            }

            Keep(kept, listener, token, seed: 4, length: 20_000);
            Keep(kept, listener, token, seed: 5, length: 2_500_000);
            await AssertKeptAsync(data, kept);
            await Eventually.TrueAsync(() => new FileInfo(Path.Combine(data.Location, "reserve")).Length == 4 * 1024 * 1024, "the reserve is whole again");
            Assert.Equal(0, await listener.StopAsync());
        }
    }

    [Theory]
    [InlineData("stopped")]
    [InlineData("killed")]
    public async Task A_file_system_that_turns_read_only_is_answered_honestly_and_nothing_acknowledged_is_lost(string ended)
    {
        using var folder = new DataDirectory();
        var (image, reason) = await LoopImage.TryCreateAsync(Directory.CreateDirectory(folder.Scratch("disk")).FullName, 256, journal: true);
        Assert.SkipWhen(image is null, reason);
        await using (image)
        {
            var device = Path.GetFileName(await image.DeviceAsync());
            var trigger = $"/sys/fs/ext4/{device}/trigger_fs_error";
            Assert.SkipUnless(File.Exists(trigger), "This kernel cannot be told to fail a file system.");
            (await Command.RunAsync("mount", ["-o", "remount,errors=remount-ro", image.Mount])).Expect();

            using var data = new DataDirectory(Path.Combine(image.Mount, "data"));
            var token = await data.AddTokenAsync("game");
            var kept = new Dictionary<string, string>();
            await using (var listener = await ListenerProcess.StartAsync(data.Location))
            {
                Keep(kept, listener, token, seed: 1, length: 20_000);
                Keep(kept, listener, token, seed: 2, length: 2_000_000);
                await File.WriteAllTextAsync(trigger, "1", TestContext.Current.CancellationToken);
                foreach (var length in new[] { 20_000, 2_000_000, 20_000 })
                {
                    var refused = Submit.Dump(listener.HttpPort, token, Submit.MadeDump(length, length));
                    AssertHonest(refused);
                    Assert.Equal("storage_read_only", refused.Header("FastListener-Reason"));
                }

                Assert.False(listener.HasExited);
                if (ended == "killed")
                {
                    await listener.KillAsync();
                }
                else
                {
                    Assert.Equal(0, await listener.StopAsync());
                    Assert.DoesNotContain("FastListener could not", listener.StandardError, StringComparison.Ordinal);
                    Assert.DoesNotContain("did not end cleanly", listener.StandardError, StringComparison.Ordinal);
                }
            }

            await image.RemountAsync();
            await using var again = await ListenerProcess.StartAsync(data.Location);
            await AssertKeptAsync(data, kept);
            Keep(kept, again, token, seed: 3, length: 20_000);
        }
    }

    /// <summary>
    /// The kernel lets nobody remount a file system read-only while a file on it is open for writing, and none of its own doing back to writing while
    /// it is mounted. Immutable files are refused to a running listener in the same place, and can be set free again under it.
    /// </summary>
    [Fact]
    public async Task Files_that_may_not_be_written_are_answered_honestly_and_taken_up_again_without_a_restart()
    {
        using var folder = new DataDirectory();
        Assert.SkipWhen(Command.Find("chattr") is null, "chattr is not installed.");
        var (image, reason) = await LoopImage.TryCreateAsync(Directory.CreateDirectory(folder.Scratch("disk")).FullName, 256, journal: true);
        Assert.SkipWhen(image is null, reason);
        await using (image)
        {
            using var data = new DataDirectory(Path.Combine(image.Mount, "data"));
            var token = await data.AddTokenAsync("game");
            var kept = new Dictionary<string, string>();
            await using (var listener = await ListenerProcess.StartAsync(data.Location))
            {
                var log = Path.Combine(data.Location, "catalog.db-wal"); // alone: the pack takes the batch, and it is the catalog that cannot be written
                foreach (var (round, locked) in new[] { (1, data.Location), (2, log), (3, data.Location), (4, log) })
                {
                    Keep(kept, listener, token, seed: round, length: 20_000);
                    Keep(kept, listener, token, seed: -round, length: 2_000_000);
                    await ChangeFlagAsync("+i", locked);
                    foreach (var length in new[] { 20_000, 2_000_000, 20_000 })
                    {
                        var refused = Submit.Dump(listener.HttpPort, token, Submit.MadeDump(length, length));
                        AssertHonest(refused);
                        Assert.Equal("storage_read_only", refused.Header("FastListener-Reason"));
                    }

                    Assert.Equal(kept.Count, (await data.ListAsync()).Count);
                    await data.AssertSoundAsync();
                    await ChangeFlagAsync("-i", locked);
                    Keep(kept, listener, token, seed: 10 + round, length: 20_000);
                }

                await AssertKeptAsync(data, kept);
                Assert.Equal(0, await listener.StopAsync());
            }

            await using var again = await ListenerProcess.StartAsync(data.Location);
            await AssertKeptAsync(data, kept);
        }
    }

    /// <summary>A socket knows no such flag.</summary>
    private static async Task ChangeFlagAsync(string flag, string path) =>
        (await Command.RunAsync("find", [path, "(", "-type", "f", "-o", "-type", "d", ")", "-exec", "chattr", flag, "{}", "+"])).Expect();

    private static void AssertHonest(RawReply reply)
    {
        reply.AssertReadableByEveryClient();
        Assert.InRange(reply.Status, 500, 599);
        Assert.Matches("^\\{\"error\":\\{\"code\":[0-9]+,\"message\":\"[^\"]+\"\\}\\}$", reply.Body);
        Assert.Matches("^storage_", reply.Header("FastListener-Reason"));
    }

    private static void Keep(Dictionary<string, string> kept, ListenerProcess listener, string token, int seed, int length)
    {
        var dump = Submit.MadeDump(seed, length);
        kept[Submit.Dump(listener.HttpPort, token, dump).ReceiptOf()] = Repository.Sha256(dump);
    }

    private static RawReply Acknowledge(Dictionary<string, string> kept, RawReply reply)
    {
        if (reply.Status == 200)
        {
            kept[reply.Rxid] = "";
        }

        return reply;
    }

    private static async Task AssertKeptAsync(DataDirectory data, Dictionary<string, string> kept)
    {
        await data.AssertSoundAsync();
        var exported = await data.ExportAllAsync();
        Assert.Equal(kept.Keys.Order(), exported.Reports().Order());
        Assert.All(kept.Where(pair => pair.Value.Length > 0), pair => Assert.Equal(pair.Value, exported.ReportHash(pair.Key)));
    }
}
