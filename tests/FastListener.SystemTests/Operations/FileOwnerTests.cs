using System.Globalization;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>Whose the files are that the listener and its verbs make, and that nobody else can read them.</summary>
public sealed class FileOwnerTests
{
    private const int Nobody = 65534;

    /// <summary>The most open umask there is.</summary>
    private static readonly string[] Open = ["bash", "-c", "umask 0; exec \"$@\"", "bash"];

    [Fact]
    public async Task Everything_that_is_kept_is_for_its_owner_alone_whatever_the_umask()
    {
        using var data = new DataDirectory();
        (await Command.RunAsync("mkdir", ["-m", "755", data.Location])).Expect();
        var token = Tokens.New();
        await RunOpenAsync("token", "add", "--data", data.Location, "--project", "game", "--token", token);
        await using (var listener = await ListenerProcess.StartWithinAsync(Open, Repository.Program, data.Location))
        {
            Submit.Dump(listener.HttpPort, token, Repository.BreakpadDump).ReceiptOf();
            Submit.Dump(listener.HttpPort, token, Submit.MadeDump(1, 3_000_000)).ReceiptOf();
            await RunOpenAsync("token", "set", "--data", data.Location, token, "--limit", "maxUploads=9");
            await RunOpenAsync("backup", "--data", data.Location, "--to", data.Scratch("backup"));
            Assert.Contains(Path.Combine(data.Location, "catalog.db-wal"), Directory.GetFiles(data.Location));
            await AssertPrivateAsync(data.Location);
            Assert.Equal(0, await listener.StopAsync());
        }

        await AssertPrivateAsync(data.Location);
        await AssertPrivateAsync(data.Scratch("backup"));
        var modes = (await Command.RunAsync("stat", ["-c", "%a", data.Location, data.Scratch("backup")])).Expect().Output;
        Assert.Equal("755\n700\n", modes); // the first was there, and its mode is the operator's choice
        await RunOpenAsync("salvage", "--data", data.Location);
        await RunOpenAsync("list", "--data", data.Location);
        await AssertPrivateAsync(data.Location);
    }

    [Fact]
    public async Task A_catalog_that_an_earlier_version_left_open_to_others_is_closed_to_them_by_the_next_start()
    {
        using var data = new DataDirectory();
        var token = await data.AddTokenAsync("game");
        await using (var listener = await ListenerProcess.StartAsync(data.Location))
        {
            Submit.Dump(listener.HttpPort, token, Repository.BreakpadDump).ReceiptOf();
            await listener.KillAsync(); // its log and shared memory stay
        }

        var files = Directory.GetFiles(data.Location, "catalog.db*");
        Assert.Equal(3, files.Length);
        (await Command.RunAsync("chmod", ["644", .. files])).Expect();
        await using var next = await ListenerProcess.StartAsync(data.Location);
        Submit.Dump(next.HttpPort, token, Repository.BreakpadDump).ReceiptOf();
        Assert.Equal(3, Directory.GetFiles(data.Location, "catalog.db*").Length);
        await AssertPrivateAsync(data.Location);
    }

    [Fact]
    public async Task What_root_makes_in_a_data_directory_belongs_to_its_owner_whose_server_goes_on_with_it()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && Command.Find("setpriv") is not null, "This test needs root, and setpriv.");
        using var folder = new DataDirectory();
        var program = Path.Combine(folder.Scratch("program"), Path.GetFileName(Repository.Program));
        (await Command.RunAsync("cp", ["-r", Path.GetDirectoryName(Repository.Program)!, folder.Scratch("program")])).Expect();
        var all = Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(program)))!;
        using var data = new DataDirectory(folder.Scratch("data"));
        Directory.CreateDirectory(data.Location);
        await GiveAsync(all);
        var token = await data.AddTokenAsync("game");
        await using (var listener = await StartAsNobodyAsync(program, data.Location))
        {
            Submit.Dump(listener.HttpPort, token, Repository.BreakpadDump).ReceiptOf();
            Submit.Dump(listener.HttpPort, token, Submit.MadeDump(1, 3_000_000)).ReceiptOf();
            await data.AssertSoundAsync(); // by root, who opens the catalog with the server, and makes its log and shared memory when nobody has
            Assert.Equal(0, await listener.StopAsync());
        }

        var copy = Directory.CreateDirectory(folder.Scratch("copy")).FullName;
        await GiveAsync(copy);
        (await Command.FastListenerAsync("backup", "--data", data.Location, "--to", copy)).Expect();
        Directory.Delete(Path.Combine(data.Location, "orphans"));
        File.Delete(Path.Combine(data.Location, "lock"));
        await File.WriteAllTextAsync(Path.Combine(data.Location, "catalog.db"), "no longer a catalog", TestContext.Current.CancellationToken);
        (await Command.FastListenerAsync("salvage", "--data", data.Location)).Expect();
        Assert.Single(Directory.GetFiles(Path.Combine(data.Location, "orphans")));
        await data.AssertSoundAsync();
        Assert.Equal("", (await Command.RunAsync("find", [data.Location, copy, "!", "-uid", Nobody.ToString(CultureInfo.InvariantCulture)])).Expect().Output);

        foreach (var place in new[] { data.Location, copy })
        {
            await using var again = await StartAsNobodyAsync(program, place);
            Submit.Dump(again.HttpPort, token, Repository.BreakpadDump).ReceiptOf();
            Assert.Equal(3, (await new DataDirectory(place).ListAsync()).Count);
            Assert.Equal(0, await again.StopAsync());
        }
    }

    private static async Task GiveAsync(string path) => (await Command.RunAsync("chown", ["-R", $"{Nobody}:{Nobody}", path])).Expect();

    private static Task<ListenerProcess> StartAsNobodyAsync(string program, string data) =>
        ListenerProcess.StartWithinAsync(["setpriv", $"--reuid={Nobody}", $"--regid={Nobody}", "--clear-groups"], program, data);

    private static async Task RunOpenAsync(params string[] verb) =>
        (await Command.RunAsync(Open[0], [.. Open[1..], "dotnet", Repository.Program, .. verb])).Expect();

    /// <summary>Nothing below it may be read, written or entered by anybody but its owner.</summary>
    private static async Task AssertPrivateAsync(string directory) =>
        Assert.Equal("", (await Command.RunAsync("find", [directory, "-mindepth", "1", "-perm", "/077", "-printf", "%m %P\n"])).Expect().Output);
}
