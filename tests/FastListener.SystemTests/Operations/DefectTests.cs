using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>A defect of the listener's own that ends its committer: it is visible, nobody is told a lie, and the process ends, so that another one is started.</summary>
public sealed class DefectTests
{
    [Fact]
    public async Task A_committer_that_a_defect_ends_is_said_answered_and_the_end_of_the_process()
    {
        using var data = new DataDirectory();
        var program = await MakeProgramAsync(data.Scratch("program"));
        Assert.SkipWhen(program is null, "cc is not installed, or knows no indirect functions here.");
        var token = await data.AddTokenAsync("game");
        await using var listener = await ListenerProcess.StartProgramAsync(
            program, data.Location, new() { ["FASTLISTENER_Storage__PackBytes"] = "16777216", ["FASTLISTENER_Storage__ReserveBytes"] = "0" });
        var late = Submit.RawRequest(token, Submit.MadeDump(99, 100_000));
        using var under = RawClient.Connect(listener.HttpPort);
        under.Send(late.AsSpan(0, late.Length - 1));
        await Eventually.TrueAsync(() => AdminClient.Json(listener.AdminPort, "/requests").GetArrayLength() == 1, "an upload is under way");

        var kept = new Dictionary<string, string>();
        foreach (var seed in Enumerable.Range(1, 17)) // more than a pack holds: it is ended, which cuts it
        {
            var dump = Submit.MadeDump(seed, 1_000_000);
            kept[Submit.Dump(listener.HttpPort, token, dump).ReceiptOf()] = Repository.Sha256(dump);
        }

        await Eventually.TrueAsync(() => AdminClient.Get(listener.AdminPort, "/readyz").Status == 503, "not ready");
        Assert.Equal("ended by a defect", AdminClient.Json(listener.AdminPort, "/readyz").GetProperty("short").GetProperty("commit").GetString());
        Assert.Equal(1, AdminClient.Metrics(listener.AdminPort)["fastlistener_commit_fault"]);
        Assert.False(listener.HasExited, "It left while an upload was in flight.");
        under.Send(late.AsSpan(late.Length - 1));
        var reply = under.ReadReply();
        reply.AssertReadableByEveryClient();
        Assert.Equal((503, "storage_fault"), (reply.Status, reply.Header("FastListener-Reason")));

        Assert.Equal(1, await listener.WaitForExitAsync());
        Assert.Contains(" crit: FastListener[510] The committer ended unexpectedly", listener.StandardError, StringComparison.Ordinal);
        Assert.Contains(" crit: FastListener[10] The store has failed through a defect", listener.StandardError, StringComparison.Ordinal);
        Assert.DoesNotContain("Stopped; ", listener.StandardError, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", listener.StandardError, StringComparison.Ordinal);
        Assert.DoesNotContain(token, listener.StandardError, StringComparison.OrdinalIgnoreCase);

        await using var another = await ListenerProcess.StartAsync(data.Location); // as systemd starts it
        Submit.Dump(another.HttpPort, token, Submit.MadeDump(100, 100_000)).ReceiptOf();
        await data.AssertSoundAsync();
        Assert.Equal(kept.Count + 1, (await data.ListAsync()).Count);
        var exported = await data.ExportAllAsync();
        Assert.All(kept, pair => Assert.Equal(pair.Value, exported.ReportHash(pair.Key)));
    }

    /// <summary>A copy of the program that meets what nobody has thought of when it cuts a file.</summary>
    private static async Task<string?> MakeProgramAsync(string folder)
    {
        if (Command.Find("cc") is not { } compiler)
        {
            return null;
        }

        (await Command.RunAsync("cp", ["-r", Path.GetDirectoryName(Repository.Program)!, folder])).Expect();
        var source = Path.Combine(Repository.Root, "tests", "FastListener.SystemTests", "Operations", "missing-cut.c");
        var made = await Command.RunAsync(compiler, ["-shared", "-fPIC", "-O1", "-Wl,--no-as-needed", "-o", Path.Combine(folder, "libc.so"), source]);
        return made.ExitCode == 0 ? Path.Combine(folder, Path.GetFileName(Repository.Program)) : null;
    }
}
