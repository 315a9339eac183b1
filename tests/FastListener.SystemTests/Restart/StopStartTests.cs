using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Restart;

/// <summary>A listener that stops and starts while clients come and go: on the sockets that systemd holds, and on ports of its own.</summary>
public sealed class StopStartTests
{
    [Fact]
    public async Task Behind_the_sockets_that_systemd_passes_on_both_ports_serve_and_a_restart_refuses_nobody()
    {
        Assert.SkipWhen(Command.Find(SystemdSockets.Tool) is null, $"{SystemdSockets.Tool} is not installed.");
        using var data = new DataDirectory();
        var token = await data.AddTokenAsync("game");
        await using var sockets = await SystemdSockets.ListenAsync(data);
        Assert.Empty(sockets.Started); // not before somebody comes

        var dump = Repository.BreakpadDump;
        var rxid = Submit.Dump(sockets.HttpPort, token, dump).ReceiptOf();
        Assert.Equal(Repository.Sha256(dump), Repository.Sha256(await data.ExportAsync(rxid)));
        using (var secure = RawClient.ConnectTls(sockets.HttpsPort))
        {
            secure.Send(Submit.RawRequest(token, dump));
            Assert.Equal(200, secure.ReadReply().Status);
        }

        var churn = new StopChurn(token, refusedAtTimes: false);
        churn.Start(3, sockets.HttpPort, secure: false);
        churn.Start(2, sockets.HttpsPort, secure: true);
        for (var round = 1; round <= 3; round++)
        {
            await churn.MoreAnsweredAsync(40);
            Assert.Equal(0, await sockets.RestartAsync());
            await Eventually.TrueAsync(() => sockets.Ready == round + 1, "the next one is ready");
        }

        await churn.MoreAnsweredAsync(40);
        await churn.StopAsync();
        TestContext.Current.TestOutputHelper?.WriteLine(churn.Summary);
        Assert.Empty(churn.Failures);
        Assert.Equal(0, await sockets.StopAsync());
        Assert.Equal(4, sockets.Started.Distinct().Count());
        Assert.Equal(churn.Receipts.Count + 2, (await data.ListAsync()).Count);
        await data.AssertSoundAsync();
    }

    [Fact]
    public async Task On_ports_of_its_own_ten_stops_reset_nobody_whose_connection_was_established()
    {
        using var data = new DataDirectory();
        var token = await data.AddTokenAsync("game");
        var listener = await ListenerProcess.StartAsync(data.Location);
        var churn = new StopChurn(token, refusedAtTimes: true);
        churn.Start(6, listener.HttpPort, secure: false);
        churn.Start(2, listener.HttpsPort, secure: true);
        try
        {
            for (var round = 0; round < 10; round++)
            {
                await churn.MoreAnsweredAsync(60);
                Assert.Equal(0, await listener.StopAsync());
                await listener.DisposeAsync();
                listener = await ListenerProcess.StartAgainAsync(data.Location, listener.HttpPort, listener.HttpsPort);
            }

            await churn.MoreAnsweredAsync(60);
        }
        finally
        {
            await churn.StopAsync();
            await listener.StopAsync();
            await listener.DisposeAsync();
        }

        TestContext.Current.TestOutputHelper?.WriteLine(churn.Summary);
        Assert.Empty(churn.Failures);
        Assert.Equal(churn.Receipts.Order(), (await data.ListAsync()).Select(item => item.Rxid).Order());
        await data.AssertSoundAsync();
    }
}
