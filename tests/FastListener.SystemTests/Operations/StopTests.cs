using System.Net.Sockets;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>SIGTERM: stop accepting, let uploads in flight finish, exit 0.</summary>
public sealed class StopTests
{
    [Theory]
    [InlineData(15)]
    [InlineData(2)]
    public async Task An_upload_in_flight_finishes_and_new_connections_are_refused(int signal)
    {
        using var data = new DataDirectory();
        var token = await data.AddTokenAsync("game");
        await using var listener = await ListenerProcess.StartAsync(data.Location);
        Assert.SkipWhen(IsIgnored(signal), "The signal is ignored here, as a shell has it for what it starts in the background, and the listener inherits that.");
        var dump = Submit.MadeDump(5, 3 * 1024 * 1024);
        var request = Submit.RawRequest(token, dump);

        using var client = RawClient.Connect(listener.HttpPort);
        client.SendInTwo(request.AsSpan(0, request.Length / 2), 1000);
        await Eventually.TrueAsync(() => data.StagedFiles().Length == 1, "the upload is on its way to disk");
        listener.Signal(signal);
        await Eventually.TrueAsync(() => IsRefused(listener.HttpPort), "new connections are refused");
        Assert.False(listener.HasExited, "The listener left while an upload was in flight.");

        client.Send(request.AsSpan(request.Length / 2));
        var reply = client.ReadReply();
        Assert.Equal(200, reply.Status);
        Assert.Equal(0, await listener.WaitForExitAsync());
        Assert.Equal(Repository.Sha256(dump), Repository.Sha256(await data.ExportAsync(reply.Rxid)));
    }

    [Theory]
    [InlineData("own")]
    [InlineData("kestrel")]
    public async Task Idle_connections_do_not_hold_up_the_stop(string transport)
    {
        using var data = new DataDirectory();
        var token = await data.AddTokenAsync("game");

        // Uploads have longer to finish than the test waits for the end: it passes only when these connections are ended for being idle.
        var settings = new Dictionary<string, string> { ["FASTLISTENER_Listen__Transport"] = transport, ["FASTLISTENER_Deadlines__ShutdownSeconds"] = "3600" };
        await using var listener = await ListenerProcess.StartProgramAsync(Repository.Program, data.Location, settings);
        using var used = RawClient.Connect(listener.HttpPort);
        used.Send(Submit.RawRequest(token, Repository.BreakpadDump));
        Assert.Equal(200, used.ReadReply().Status);
        using var silent = RawClient.Connect(listener.HttpPort);
        using var secure = RawClient.ConnectTls(listener.HttpsPort);
        using var beforeTls = RawClient.Connect(listener.HttpsPort);

        Assert.Equal(0, await listener.StopAsync());
        Assert.Equal("", beforeTls.ReadToEnd());
        foreach (var client in new[] { used, silent, secure })
        {
            Assert.Equal("", client.ReadToEnd());
            Assert.False(client.WasReset, "A reset takes a reply with it that is still on its way.");
        }

        await data.AssertSoundAsync();
        Assert.Empty(data.StagedFiles());
    }

    [Theory]
    [InlineData("own", false)]
    [InlineData("own", true)]
    [InlineData("kestrel", false)]
    [InlineData("kestrel", true)]
    public async Task An_upload_that_the_end_of_the_stop_cuts_off_is_refused_by_us_and_not_broken_off_by_its_client(string transport, bool tls)
    {
        using var data = new DataDirectory();
        var token = await data.AddTokenAsync("game");
        var settings = new Dictionary<string, string> { ["FASTLISTENER_Listen__Transport"] = transport, ["FASTLISTENER_Deadlines__ShutdownSeconds"] = "3" };
        await using var listener = await ListenerProcess.StartProgramAsync(Repository.Program, data.Location, settings);
        var request = Submit.RawRequest(token, Submit.MadeDump(5, 5000));
        using var leaves = RawClient.Connect(listener.HttpPort);
        using var stays = tls ? RawClient.ConnectTls(listener.HttpsPort) : RawClient.Connect(listener.HttpPort);
        foreach (var client in new[] { leaves, stays })
        {
            client.Send(request.AsSpan(0, request.Length - 1));
        }

        await Eventually.TrueAsync(async () => (await data.BooksAsync()).InFlight!.Count == 2, "both uploads are under way");
        listener.Signal(15);
        await Eventually.TrueAsync(() => IsRefused(listener.HttpPort), "new connections are refused");
        leaves.Reset();
        Assert.Equal(0, await listener.WaitForExitAsync());

        var books = await data.BooksAsync();
        Assert.Equal((2, 1, 1, 0), (books.Received, books.Requests("brokenOff"), books.Requests("refused"), books.Requests("unsettled")));
        Assert.InRange(Assert.Single(books.Outcomes, line => line.Word == "stopping").BytesIn, 4998, 4999);
    }

    [Fact]
    public async Task However_often_the_signal_comes_the_stop_is_one_and_ends_well()
    {
        using var data = new DataDirectory();
        await using var listener = await ListenerProcess.StartAsync(data.Location);
        while (!listener.HasExited)
        {
            listener.Signal(15);
        }

        Assert.Equal(0, await listener.WaitForExitAsync());
    }

    [Theory]
    [InlineData("own")]
    [InlineData("kestrel")]
    public async Task An_upload_that_the_stop_has_no_time_for_is_told_so(string transport)
    {
        await using var server = await TunedListener.StartAsync(("Deadlines__ShutdownSeconds", "6"), ("Listen__Transport", transport));
        var request = Submit.RawRequest(server.Token, Submit.MadeDump(1, 200_000));
        using var silent = RawClient.Connect(server.Port);
        silent.Send(request.AsSpan(0, request.Length - 1));
        using var steady = RawClient.Connect(server.Port); // and never at an end
        steady.Send($"POST /post?format=minidump&token={server.Token} HTTP/1.1\r\nHost: test\r\nContent-Length: 100000000\r\n\r\nMDMP");
        await Eventually.TrueAsync(() => AdminClient.Json(server.AdminPort, "/requests").GetArrayLength() == 2, "both are under way");
        server.Process.Signal(15);
        while (!steady.HasReplyWithin(TimeSpan.FromMilliseconds(5)) && steady.Send(new byte[100]))
        {
        }

        foreach (var client in new[] { steady, silent })
        {
            var reply = client.ReadReply();
            reply.AssertReadableByEveryClient();
            Assert.Equal((503, "stopping"), (reply.Status, reply.Header("FastListener-Reason")));
            Assert.True(reply.SaysClose);
        }

        Assert.Equal(0, await server.Process.WaitForExitAsync());
        Assert.Empty(await server.Data.ListAsync());
        await server.Data.AssertSoundAsync();
        Assert.Empty(server.Data.StagedFiles());
    }

    [Fact]
    public async Task An_upload_that_still_waits_for_its_turn_when_the_stop_has_no_more_time_is_told_so()
    {
        await using var server = await TunedListener.StartAsync(("Deadlines__ShutdownSeconds", "4"), ("Overload__MaxWaitSeconds", "600"));
        var token = await server.AddTokenAsync("slowed", "bytesPerSecond=1", "burstBytes=1");
        var request = Submit.RawRequest(token, Submit.MadeDump(1, 2000));
        using var first = RawClient.Connect(server.Port); // brings its token into debt for half an hour
        first.Send(request);
        Assert.Equal(200, first.ReadReply().Status);
        using var second = RawClient.Connect(server.Port);
        second.Send(request);
        await Eventually.TrueAsync(() => AdminClient.Metrics(server.AdminPort)["fastlistener_reading_waiting"] == 1, "it waits");
        server.Process.Signal(15);

        var reply = second.ReadReply();
        reply.AssertReadableByEveryClient();
        Assert.Equal((503, "stopping"), (reply.Status, reply.Header("FastListener-Reason")));
        Assert.Equal(0, await server.Process.WaitForExitAsync());
        var books = await server.Data.BooksAsync();
        Assert.Single(books.Outcomes, line => line.Word == "stopping");
        Assert.Equal(0, books.Requests("unsettled"));
        Assert.Single(await server.Data.ListAsync());
    }

    private static bool IsRefused(int port)
    {
        try
        {
            using var client = RawClient.Connect(port);
            return false;
        }
        catch (SocketException refusal)
        {
            Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
            return true;
        }
    }

    /// <summary>Whether whoever started the tests had the signal ignored (proc(5): SigIgn, a mask whose lowest bit is signal 1).</summary>
    private static bool IsIgnored(int signal)
    {
        var mask = File.ReadLines("/proc/self/status").First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))[7..].Trim();
        return (ulong.Parse(mask, System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture) >> (signal - 1) & 1) != 0;
    }
}
