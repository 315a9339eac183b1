using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>
/// A disk without a free byte, or without room for a further file, and what an operator does about it: everything can be read and copied elsewhere with no
/// server there; what cannot be done is said in a line and changes nothing.
/// </summary>
public sealed class FullDiskTests
{
    [Theory]
    [InlineData("bytes", "stopped")]
    [InlineData("bytes", "killed")]
    [InlineData("files", "stopped")]
    [InlineData("files", "killed")]
    public async Task Everything_stored_can_be_read_and_copied_elsewhere_on_a_full_disk_without_a_server(string without, string ended)
    {
        using var folder = new DataDirectory();
        await using var disk = await SmallDisk.MountAsync(folder, 64, files: 100);
        using var data = new DataDirectory(Path.Combine(disk.Mount, "data"));
        var token = await data.AddTokenAsync("game");
        var kept = new Dictionary<string, string>();
        await using (var listener = await ListenerProcess.StartAsync(data.Location))
        {
            foreach (var length in new[] { 20_000, 2_000_000 })
            {
                var dump = Submit.MadeDump(length, length);
                kept[Submit.Dump(listener.HttpPort, token, dump).ReceiptOf()] = Repository.Sha256(dump);
            }

            if (ended == "killed")
            {
                await listener.KillAsync();
            }
            else
            {
                Assert.Equal(0, await listener.StopAsync());
            }
        }

        var ballast = FillUp(disk, without);
        foreach (var round in new[] { 1, 2 }) // what a first reader leaves must not be in the way of a second
        {
            Assert.Equal(kept.Keys.Order(), (await data.ListAsync()).Select(item => item.Rxid).Order());
            foreach (var (rxid, hash) in kept)
            {
                Assert.Equal(rxid, (await data.ShowAsync(rxid)).Rxid);
                Assert.Equal(hash, Repository.Sha256(await data.ExportAsync(rxid)));
            }

            await data.AssertSoundAsync();
            var copy = folder.Scratch($"copy{round}");
            (await Command.FastListenerAsync("backup", "--data", data.Location, "--to", copy)).Expect();
            using var copied = new DataDirectory(copy);
            await copied.AssertSoundAsync();
            Assert.Equal(kept.Count, (await copied.ListAsync()).Count);
        }

        FillUp(disk, without); // after a kill the first reader has put the catalog's log in order, and needs it no more
        var tokens = await File.ReadAllTextAsync(Path.Combine(data.Location, "tokens.json"), TestContext.Current.CancellationToken);
        AssertOneLine(await Command.FastListenerAsync("token", "add", "--data", data.Location, "--project", "other"));
        AssertOneLine(await Command.FastListenerAsync("token", "disable", token, "--data", data.Location));
        Assert.Equal(tokens, await File.ReadAllTextAsync(Path.Combine(data.Location, "tokens.json"), TestContext.Current.CancellationToken));
        (await Command.FastListenerAsync("token", "list", "--data", data.Location)).Expect();

        Directory.Delete(ballast, recursive: true);
        await using var again = await ListenerProcess.StartAsync(data.Location);
        Submit.Dump(again.HttpPort, token, Submit.MadeDump(1, 2_000_000)).ReceiptOf();
        await data.AssertSoundAsync();
        var exported = await data.ExportAllAsync();
        Assert.All(kept, pair => Assert.Equal(pair.Value, exported.ReportHash(pair.Key)));
    }

    [Theory]
    [InlineData("bytes")]
    [InlineData("files")]
    public async Task Without_a_reserve_a_start_on_a_full_disk_is_refused_in_one_line_and_loses_nothing(string without)
    {
        using var folder = new DataDirectory();
        await using var disk = await SmallDisk.MountAsync(folder, 64, files: 100);
        using var data = new DataDirectory(Path.Combine(disk.Mount, "data"));
        var token = await data.AddTokenAsync("game");
        await File.WriteAllTextAsync(Path.Combine(data.Location, "appsettings.json"), """{ "Storage": { "ReserveBytes": 0 } }""", TestContext.Current.CancellationToken);
        var dump = Submit.MadeDump(1, 20_000);
        string rxid;
        await using (var listener = await ListenerProcess.StartAsync(data.Location))
        {
            rxid = Submit.Dump(listener.HttpPort, token, dump).ReceiptOf();
            Assert.Equal(0, await listener.StopAsync());
        }

        Assert.False(File.Exists(Path.Combine(data.Location, "reserve")));
        var ballast = FillUp(disk, without);
        foreach (var _ in new[] { 1, 2 })
        {
            var refused = await Command.FastListenerAsync("serve", "--data", data.Location, "--http", "127.0.0.1:0", "--https", "off", "--admin", "off");
            AssertOneLine(refused);
            Assert.StartsWith("FastListener could not start: The disk is full", refused.Error, StringComparison.Ordinal);
        }

        Assert.Equal(Repository.Sha256(dump), Repository.Sha256(await data.ExportAsync(rxid)));
        Directory.Delete(ballast, recursive: true);
        await using var again = await ListenerProcess.StartAsync(data.Location);
        Submit.Dump(again.HttpPort, token, dump).ReceiptOf();
        Assert.Equal(2, (await data.ListAsync()).Count);
        await data.AssertSoundAsync();
    }

    [Fact]
    public async Task An_export_that_fills_its_disk_takes_nothing_of_it_and_leaves_an_older_file_as_it_was()
    {
        using var data = new DataDirectory();
        var token = await data.AddTokenAsync("game");
        await using var listener = await ListenerProcess.StartAsync(data.Location);
        var rxid = Submit.Dump(listener.HttpPort, token, Submit.MadeDump(1, 3_000_000)).ReceiptOf();
        await using var disk = await SmallDisk.MountAsync(data, 2);
        var older = Path.Combine(disk.Mount, "older.dmp");
        await File.WriteAllTextAsync(older, "as it was", TestContext.Current.CancellationToken);
        foreach (var where in new string[][] { ["-o", older], ["-o", Path.Combine(disk.Mount, "new.dmp")], ["--to", disk.Mount] })
        {
            Assert.Single((await Command.FastListenerAsync(["export", rxid, "--data", data.Location, .. where])).Expect(1).Error.TrimEnd().Split('\n'));
            Assert.Equal([older], Directory.GetFileSystemEntries(disk.Mount));
        }

        Assert.Equal("as it was", await File.ReadAllTextAsync(older, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_disk_that_can_hold_no_further_file_is_told_of_and_takes_what_needs_none()
    {
        using var folder = new DataDirectory();
        await using var disk = await SmallDisk.MountAsync(folder, 512, files: 200);
        using var data = new DataDirectory(Path.Combine(disk.Mount, "data"));
        var token = await data.AddTokenAsync("game");
        await using var listener = await ListenerProcess.StartProgramAsync(Repository.Program, data.Location, new() { ["FASTLISTENER_Storage__PackBytes"] = "16777216" });
        Submit.Dump(listener.HttpPort, token, Submit.MadeDump(1, 20_000)).ReceiptOf();
        var stored = 1;
        Assert.Equal(200, AdminClient.Get(listener.AdminPort, "/readyz").Status);
        var reserve = new FileInfo(Path.Combine(data.Location, "reserve")).Length;
        foreach (var round in new[] { 1, 2 })
        {
            var ballast = FillUp(disk, "files");
            await Eventually.TrueAsync(() => AdminClient.Get(listener.AdminPort, "/readyz").Status == 503, "who asks is told");
            Assert.Equal("no file can be made", AdminClient.Json(listener.AdminPort, "/readyz").GetProperty("short").GetProperty("disk").GetString());
            Assert.Equal(0, AdminClient.Metrics(listener.AdminPort)["fastlistener_disk_free_inodes"]);
            Assert.Contains("The disk runs short of files", listener.StandardError, StringComparison.Ordinal);
            var refused = Submit.Dump(listener.HttpPort, token, Submit.MadeDump(2, 2_000_000));
            Assert.Equal((503, "storage_full"), (refused.Status, refused.Header("FastListener-Reason")));
            Submit.Dump(listener.HttpPort, token, Submit.MadeDump(round, 20_000)).ReceiptOf();
            stored++;
            for (; Submit.Dump(listener.HttpPort, token, Submit.MadeDump(stored, 900_000)) is var reply && reply.Status != 503; stored++)
            {
                reply.ReceiptOf(); // until the pack is full and another one would be a file
                Assert.True(stored < 100, "A pack never ends.");
            }

            Assert.Equal(reserve, new FileInfo(Path.Combine(data.Location, "reserve")).Length); // not room is what is missing

            Directory.Delete(ballast, recursive: true);
            await Eventually.TrueAsync(() => AdminClient.Get(listener.AdminPort, "/readyz").Status == 200, "it is ready again by itself");
            Submit.Dump(listener.HttpPort, token, Submit.MadeDump(3, 2_000_000)).ReceiptOf();
            stored++;
        }

        await data.AssertSoundAsync();
        Assert.Equal(stored, (await data.ListAsync()).Count);
        Assert.DoesNotContain("MiB of reserve were given up", listener.StandardError, StringComparison.Ordinal);
        Assert.Equal(0, await listener.StopAsync());
    }

    private static string FillUp(SmallDisk disk, string without)
    {
        var ballast = Directory.CreateDirectory(Path.Combine(disk.Mount, "ballast")).FullName;
        if (without == "bytes")
        {
            SmallDisk.FillUp(Path.Combine(ballast, $"{Guid.NewGuid():N}"));
        }
        else
        {
            SmallDisk.FillUpWithFiles(ballast);
        }

        return ballast;
    }

    private static void AssertOneLine(CommandResult refused)
    {
        Assert.True(refused.ExitCode == 1, $"{refused.ExitCode}: {refused.Output}{refused.Error}");
        Assert.Equal("", refused.Output);
        Assert.Matches("^[^\n]+\n$", refused.Error);
    }
}
