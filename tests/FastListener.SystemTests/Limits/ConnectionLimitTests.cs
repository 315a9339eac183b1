using System.Security.Authentication;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Limits;

/// <summary>More clients than the listener accepts at once: whoever it cannot take yet waits in the kernel's queue.</summary>
public sealed class ConnectionLimitTests
{
    private const int MaxConnections = 8;
    private const int Accepted = MaxConnections + (MaxConnections / 8) + 64;
    private const int Plain = 40;
    private const int Secure = 20;

    [Fact]
    public async Task However_many_connect_beyond_the_limit_each_is_answered_in_the_end()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxConnections", $"{MaxConnections}"), ("Overload__MaxWaitSeconds", "600"));
        double Gauge(string name) => AdminClient.Metrics(server.AdminPort)[$"fastlistener_{name}"];

        // They have all the places, and keep them.
        var half = Submit.RawRequest(server.Token, Submit.MadeDump(1, 10_000));
        var served = Enumerable.Range(0, MaxConnections).Select(_ => RawClient.Connect(server.Port)).ToList();
        served.ForEach(client => client.Send(half.AsSpan(0, half.Length / 2)));
        await Eventually.TrueAsync(() => Gauge("uploads") == MaxConnections, "the first ones are being served");

        // Further ones wait at the gate, until no more are accepted: the rest waits in the kernel's queues, also for a handshake.
        var whole = Submit.RawRequest(server.Token, Submit.MadeDump(2, 3000), head: "Connection: close\r\n");
        var waiting = Enumerable.Range(0, Accepted - MaxConnections).Select(_ => RawClient.Connect(server.Port)).ToList();
        waiting.ForEach(client => client.Send(whole));
        await Eventually.TrueAsync(() => Gauge("connections_waiting") >= waiting.Count, "the others wait");
        Assert.Equal(1, Gauge("accepting_paused"));
        Assert.InRange(Gauge("connections_accepted"), Accepted, Accepted + 1);
        var queued = Enumerable.Range(0, Plain).Select(_ => RawClient.Connect(server.Port)).ToList();
        queued.ForEach(client => client.Send(whole));
        var greeting = Enumerable.Range(0, Secure).Select(_ => OnThread(() => UploadSecurely(server.Process.HttpsPort, whole))).ToArray();
        Assert.DoesNotContain(queued, client => client.HasReplyWithin(TimeSpan.FromMilliseconds(5)));
        Assert.DoesNotContain(greeting, task => task.IsCompleted);
        Assert.InRange(Gauge("connections_waiting"), waiting.Count, waiting.Count + 1); // either endpoint was waiting for its next client already

        // They go one after the other, and make room.
        foreach (var client in served)
        {
            client.Send(half.AsSpan(half.Length / 2));
            Assert.Equal(200, client.ReadReply().Status);
            client.Dispose();
        }

        foreach (var client in waiting.Concat(queued))
        {
            Assert.Equal(200, client.ReadReply().Status);
            client.Dispose();
        }

        await Eventually.TrueAsync(() => Gauge("accepting_paused") == 0, "there is room for newcomers again");
        Assert.All(await Task.WhenAll(greeting), status => Assert.Equal(200, status));
        Assert.Equal(MaxConnections + waiting.Count + Plain + Secure, (await server.Data.ListAsync()).Count);
        Assert.Equal(0, await server.Process.StopAsync());
    }

    private static int UploadSecurely(int port, byte[] request)
    {
        try
        {
            using var client = RawClient.ConnectTls(port);
            client.Send(request);
            return client.ReadReply().Status;
        }
        catch (Exception fault) when (fault is IOException or AuthenticationException)
        {
            throw new InvalidDataException("The connection was ended instead of served.", fault);
        }
    }

    private static Task<int> OnThread(Func<int> action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
