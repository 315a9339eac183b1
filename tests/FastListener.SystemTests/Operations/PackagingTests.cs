using System.Globalization;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>The systemd units as they are shipped, and the program in the confinement that they ask for.</summary>
public sealed class PackagingTests
{
    private const int Nobody = 65534;

    /// <summary>What the unit takes away, by other means than systemd's: a root that cannot be written but for the data, no privilege, no way back to any.</summary>
    private const string Confine = """
        set -e
        data=$1; shift
        mount --make-rprivate /
        mount --bind "$data" "$data"
        findmnt -rno TARGET / >/dev/null
        for place in / $(findmnt -rno TARGET --real | grep -v "^$data" | grep -v '^/$'); do
          mount -o remount,bind,ro "$place" 2>/dev/null || test "$place" != /
        done
        exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
        """;

    private static readonly string Units = Path.Combine(Repository.Root, "src", "packaging");

    [Fact]
    public async Task Systemd_finds_no_fault_in_the_units()
    {
        Assert.SkipWhen(Command.Find("systemd-analyze") is null, "systemd-analyze is not installed.");
        using var folder = new DataDirectory();
        var units = await CopyUnitsAsync(folder);
        var verify = (await Command.RunAsync("systemd-analyze", ["verify", "--man=no", .. units])).Expect();
        Assert.Equal("", verify.Output + verify.Error);
    }

    [Fact]
    public async Task Systemd_counts_the_service_among_the_well_confined()
    {
        Assert.SkipWhen(Command.Find("systemd-analyze") is null, "systemd-analyze is not installed.");
        using var folder = new DataDirectory();
        var units = await CopyUnitsAsync(folder);
        var service = units.Single(path => path.EndsWith(".service", StringComparison.Ordinal));
        (await Command.RunAsync("systemd-analyze", ["security", "--offline=true", "--threshold=20", service])).Expect(); // 2.0 of 10
    }

    [Fact]
    public async Task The_service_leaves_no_core_dump()
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(Units, "fastlistener.service"), TestContext.Current.CancellationToken);
        Assert.True(Array.IndexOf(lines, "LimitCORE=0") > Array.IndexOf(lines, "[Service]"));
        Assert.DoesNotContain(lines, line => line.Contains("DbgEnableMiniDump", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_serves_as_nobody_without_a_privilege_and_with_nothing_but_its_data_to_write_to()
    {
        Assert.SkipWhen(Command.Find("setpriv") is null || Command.Find("unshare") is null, "setpriv or unshare is not installed.");
        var allowed = await Command.RunAsync("unshare", ["--mount", "mount", "-o", "remount,bind,ro", "/"]);
        Assert.SkipWhen(allowed.ExitCode != 0, $"Mounts of its own are not permitted here: {allowed.Error.Trim()}");

        using var folder = new DataDirectory();
        var program = folder.Scratch("program");
        (await Command.RunAsync("cp", ["-r", Path.GetDirectoryName(Repository.Program)!, program])).Expect();
        using var data = new DataDirectory(folder.Scratch("data"));
        var token = await data.AddTokenAsync("game");
        (await Command.RunAsync("chown", ["-R", $"{Nobody}:{Nobody}", Path.GetDirectoryName(Path.GetDirectoryName(program))!])).Expect();

        await using var listener = await ListenerProcess.StartWithinAsync(
            ["unshare", "--mount", "bash", "-c", Confine, "bash", data.Location], Path.Combine(program, Path.GetFileName(Repository.Program)), data.Location);
        var status = (await File.ReadAllLinesAsync($"/proc/{listener.Pid}/status", TestContext.Current.CancellationToken))
            .Select(line => line.Split(':', 2)).ToDictionary(pair => pair[0], pair => pair[1].Trim());
        Assert.All(status["Uid"].Split('\t'), id => Assert.Equal(Nobody, int.Parse(id, CultureInfo.InvariantCulture)));
        Assert.Equal(("0000000000000000", "0000000000000000", "1"), (status["CapEff"], status["CapBnd"], status["NoNewPrivs"]));
        var root = (await File.ReadAllLinesAsync($"/proc/{listener.Pid}/mountinfo", TestContext.Current.CancellationToken))
            .Select(line => line.Split(' ')).Last(fields => fields[4] == "/");
        Assert.Contains("ro", root[5].Split(','));

        foreach (var dump in new[] { Repository.BreakpadDump, Submit.MadeDump(1, 3_000_000) })
        {
            var rxid = Submit.Dump(listener.HttpPort, token, dump).ReceiptOf();
            Assert.Equal(Repository.Sha256(dump), Repository.Sha256(await data.ExportAsync(rxid)));
        }

        using (var secure = RawClient.ConnectTls(listener.HttpsPort))
        {
            secure.Send(Submit.RawRequest(token, Repository.BreakpadDump));
            Assert.Equal(200, secure.ReadReply().Status);
        }

        Assert.Equal(0, await listener.StopAsync());
        (await data.VerifyAsync()).Expect();
    }

    /// <summary>The runtime of this machine may lie elsewhere than the one that the units name, and systemd looks for it.</summary>
    private static async Task<List<string>> CopyUnitsAsync(DataDirectory folder)
    {
        var copies = new List<string>();
        foreach (var unit in Directory.GetFiles(Units).Where(path => path.EndsWith(".service", StringComparison.Ordinal) || path.EndsWith(".socket", StringComparison.Ordinal)))
        {
            var text = await File.ReadAllTextAsync(unit, TestContext.Current.CancellationToken);
            var copy = folder.Scratch(Path.GetFileName(unit));
            await File.WriteAllTextAsync(copy, text.Replace("/usr/bin/dotnet", Command.Find("dotnet"), StringComparison.Ordinal), TestContext.Current.CancellationToken);
            copies.Add(copy);
        }

        return copies;
    }
}
