using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Limits;

/// <summary>Too much at once: slowed first, shared fairly, refused last.</summary>
public sealed class OverloadTests
{
    [Fact]
    public async Task A_token_over_its_rate_is_slowed_and_all_of_its_upload_is_kept()
    {
        await using var server = await TunedListener.StartAsync();
        var slow = await server.AddTokenAsync("game", "bytesPerSecond=300000", "burstBytes=1");
        var dump = Submit.MadeDump(1, 600_000);
        using var client = RawClient.Connect(server.Port);
        client.Send(Submit.RawRequest(slow, dump));
        Assert.Equal(200, Submit.Dump(server.Port, server.Token, dump).Status); // of another token, as large, sent later, answered sooner
        Assert.False(client.HasReplyWithin(TimeSpan.Zero), "The rate does not hold.");
        Assert.Equal(Repository.Sha256(dump), Repository.Sha256(await server.Data.ExportAsync(client.ReadReply().ReceiptOf())));
    }

    [Fact]
    public async Task A_token_far_over_its_rate_is_refused_only_after_it_was_made_to_wait_and_others_are_not_held_up()
    {
        await using var server = await TunedListener.StartAsync(("Overload__MaxWaitSeconds", "2"), ("Overload__DegradeAfterSeconds", "0"));
        var slow = await server.AddTokenAsync("game", "bytesPerSecond=1", "burstBytes=1");
        using var client = RawClient.Connect(server.Port);
        client.Send(Submit.RawRequest(slow, Submit.MadeDump(1, 300_000)));
        for (var index = 0; index < 20; index++)
        {
            Assert.Equal(200, Submit.Dump(server.Port, server.Token, Submit.MadeDump(index, 5000)).Status);
        }

        LimitTests.AssertRefused(client.ReadReply(), 429, "token_over_rate");

        // Nothing is given up unless the operator has said so; lifting the rate takes effect at once, for who waits, too.
        using var second = RawClient.Connect(server.Port);
        second.Send(Submit.RawRequest(slow, Submit.MadeDump(2, 300_000)));
        await server.Data.SetLimitsAsync(slow, "bytesPerSecond=0");
        await Eventually.TrueAsync(
            () =>
            {
                using var retried = RawClient.Connect(server.Port);
                retried.Send(Submit.RawRequest(slow, Submit.MadeDump(2, 300_000)));
                return retried.ReadReply().Status == 200;
            },
            "The lifted rate holds no more");
        Assert.All(await server.Data.ListAsync(), item => Assert.Null(item.Degraded));
    }

    [Fact]
    public async Task One_token_with_hundreds_of_large_uploads_does_not_starve_another_with_small_ones()
    {
        // One turn at a time, so that there is contention; and a third client, with small uploads too, of the noisy token itself. Both
        // pay the same for a commit. The one waits among the others of its token, the other does not.
        await using var server = await TunedListener.StartAsync(
            ("Overload__ReadingTurns", "1"), ("Overload__MaxWaitSeconds", "600"), ("Storage__InlineLimitBytes", "65536"));
        var quiet = await server.AddTokenAsync("quiet");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var noise = Enumerable.Range(0, 300).Select(_ => FloodAsync(server.Port, server.Token, stop.Token)).ToList();
        var (answeredQuiet, answeredNoisy) = (0, 0);
        var beside = Task.Run(
            async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    Assert.Equal(200, Submit.Dump(server.Port, server.Token, Submit.MadeDump(1, 3000)).Status);
                    answeredNoisy++;
                    await Task.Yield();
                }
            },
            CancellationToken.None);
        while (answeredQuiet < 60)
        {
            Assert.Equal(200, Submit.Dump(server.Port, quiet, Submit.MadeDump(1, 3000)).Status);
            answeredQuiet++;
        }

        var between = answeredNoisy;
        await stop.CancelAsync();
        await beside;
        var answered = (await Task.WhenAll(noise)).Count(flood => flood);
        TestContext.Current.TestOutputHelper?.WriteLine($"{answeredQuiet} quiet, {between} of the noisy token's own, {answered} floods answered");
        Assert.Equal(0, answered);
        Assert.InRange(between, 0, answeredQuiet * 2 / 3);
    }

    [Fact]
    public async Task While_the_disk_hangs_uploads_wait_then_are_refused_and_what_was_taken_is_stored_when_it_is_back()
    {
        await using var disk = await HangingDisk.CreateAsync();
        var data = disk.Data;
        var token = await data.AddTokenAsync("game");
        await using var listener = await ListenerProcess.StartProgramAsync(Repository.Program, data.Location, new()
        {
            ["FASTLISTENER_Overload__CommitSlowMilliseconds"] = "100",
            ["FASTLISTENER_Overload__CommitHoldMilliseconds"] = "300",
            ["FASTLISTENER_Overload__MaxWaitSeconds"] = "2",
            ["FASTLISTENER_Overload__DegradeAfterSeconds"] = "0",
        });
        var first = Submit.Dump(listener.HttpPort, token, Submit.MadeDump(1, 2000)).ReceiptOf();
        int Holds() => listener.StandardError.Split("Pressure: committer, Hold").Length;
        var before = Holds(); // on a busy machine, the first commit alone may be one
        await disk.HangAsync();
        using var taken = RawClient.Connect(listener.HttpPort);
        using var next = RawClient.Connect(listener.HttpPort);
        try
        {
            // Two, so that one waits while the other's commit hangs.
            taken.Send(Submit.RawRequest(token, Submit.MadeDump(2, 2000)));
            next.Send(Submit.RawRequest(token, Submit.MadeDump(3, 2000)));
            await Eventually.TrueAsync(() => Holds() > before, "The pressure is noticed");
            using var late = RawClient.Connect(listener.HttpPort);
            late.Send(Submit.RawRequest(token, Submit.MadeDump(4, 2000)));
            Assert.False(late.HasReplyWithin(TimeSpan.FromMilliseconds(300)), "It was not slowed first.");
            LimitTests.AssertRefused(late.ReadReply(), 503, "overloaded");
        }
        finally
        {
            await disk.GoOnAsync();
        }

        var kept = new[] { first, taken.ReadReply().ReceiptOf(), next.ReadReply().ReceiptOf() };
        await Eventually.TrueAsync(() => Submit.Dump(listener.HttpPort, token, Submit.MadeDump(5, 2000)).Status == 200, "Uploads are taken again");
        Assert.Subset((await data.ListAsync()).Select(item => item.Rxid).ToHashSet(), kept.ToHashSet());
        await data.AssertSoundAsync();
    }

    /// <param name="holdMilliseconds">How long a commit may hang until nothing more is read; until then it is only slow.</param>
    /// <param name="degraded">What is given up then.</param>
    [Theory]
    [InlineData(300, "metadata_only")]
    [InlineData(60_000, "without_attachments")]
    public async Task While_the_disk_hangs_the_rungs_that_are_named_are_taken_and_what_was_kept_is_stored_when_it_is_back(int holdMilliseconds, string degraded)
    {
        await using var disk = await HangingDisk.CreateAsync();
        var data = disk.Data;
        var token = await data.AddTokenAsync("game");
        await using var listener = await ListenerProcess.StartProgramAsync(Repository.Program, data.Location, new()
        {
            ["FASTLISTENER_Overload__CommitSlowMilliseconds"] = "100",
            ["FASTLISTENER_Overload__CommitHoldMilliseconds"] = holdMilliseconds.ToString(CultureInfo.InvariantCulture),
            ["FASTLISTENER_Overload__DegradeAfterSeconds"] = "1",
            ["FASTLISTENER_Overload__Degrade"] = "without_attachments,metadata_only",
        });
        Submit.Dump(listener.HttpPort, token, Submit.MadeDump(1, 2000)).ReceiptOf();
        using var taken = RawClient.Connect(listener.HttpPort);
        using var late = RawClient.Connect(listener.HttpPort);
        await disk.HangAsync();
        try
        {
            taken.Send(Submit.RawRequest(token, Submit.MadeDump(2, 2000)));
            await Eventually.TrueAsync(() => AdminClient.Get(listener.AdminPort, "/readyz").Status == 503, "The pressure is noticed");
            await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken); // well past what counts as lasting
            late.Send(Submit.FormRequest(token, Submit.MadeDump(3, 2000), "a.bin", new byte[3000]));
            await Eventually.TrueAsync(
                () => AdminClient.Metrics(listener.AdminPort) is var now && now["fastlistener_commit_queue"] + now["fastlistener_committing"] == 2,
                "What is left of it waits for the commit");
            Assert.False(late.HasReplyWithin(TimeSpan.Zero), "It is not stored yet.");
        }
        finally
        {
            await disk.GoOnAsync();
        }

        var first = taken.ReadReply();
        Assert.Equal((200, null), (first.Status, first.Header("FastListener-Degraded"))); // it was whole before anything was short
        var reply = late.ReadReply();
        Assert.Equal((200, degraded), (reply.Status, reply.Header("FastListener-Degraded")));
        var stored = await data.ShowAsync(reply.ReceiptOf());
        Assert.Equal($"{degraded}:committer", stored.Degraded);
        Assert.Equal((2000L, degraded == "metadata_only" ? "committer" : null), (stored.Report.Size, stored.Report.Omitted));
        Assert.Equal((3000L, "committer"), (stored.Attachments.Single().Size, stored.Attachments.Single().Omitted));
        Assert.Equal(1, AdminClient.Metrics(listener.AdminPort)[$"fastlistener_degraded_total{{rung=\"{degraded}\",reason=\"committer\"}}"]);
        await Eventually.TrueAsync(
            () => Submit.Dump(listener.HttpPort, token, Submit.MadeDump(5, 2000)) is { Status: 200 } whole && whole.Header("FastListener-Degraded") is null,
            "Uploads are taken whole again");
        await data.AssertSoundAsync();
    }

    /// <summary>Sends an upload that is never done, as fast as it is taken. True: it was answered all the same.</summary>
    /// <summary>Sends as much as is taken until it is told to stop. A connection that the listener ends before that is an exception.</summary>
    /// <returns>Whether the listener has answered meanwhile.</returns>
    private static async Task<bool> FloodAsync(int port, string token, CancellationToken stop)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, SendBufferSize = 64 * 1024 };
        var slice = new byte[64 * 1024];
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, stop);
            await socket.SendAsync(
                Encoding.ASCII.GetBytes($"POST /post?format=minidump&token={token} HTTP/1.1\r\nHost: test\r\nContent-Length: 4000000000\r\n\r\nMDMP"), stop);
            while (!stop.IsCancellationRequested)
            {
                await socket.SendAsync(slice, stop);
            }
        }
        catch (OperationCanceledException)
        {
            // It was in the middle of a slice.
        }

        return socket.Available > 0;
    }
}
