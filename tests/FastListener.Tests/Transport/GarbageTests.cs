using System.Net;
using System.Net.Sockets;
using FastListener.Hosting.Transport;
using Xunit;

#pragma warning disable xUnit1069 // a timeout only ends a test that hangs, and a test that hangs has failed

namespace FastListener.Transport;

/// <summary>Counts allocations of the whole process, so nothing may run beside it.</summary>
[CollectionDefinition(DisableParallelization = true)]
public class AloneCollection;

[Collection<AloneCollection>]
public class GarbageTests
{
    [Fact(Timeout = 60_000)]
    public async Task A_connection_in_use_allocates_nothing_per_read_and_write()
    {
        await using var server = await TransportServer.StartAsync(TransportKind.Own, Handlers.Echo);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var bytes = await Task.Run(() =>
        {
            client.Connect(IPAddress.Loopback, server.Port); // blocking throughout: an asynchronous call once made lets every later wait allocate
            Exchange(client, 2_000); // warm: every path was taken
            return Exchange(client, 2_000);
        }, TestContext.Current.CancellationToken);

        // Kestrel's heartbeat and the runtime allocate a little by the clock. One object per exchange would be 48,000.
        Assert.InRange(bytes, 0, 24_000);
    }

    private static long Exchange(Socket client, int count)
    {
        Span<byte> sent = stackalloc byte[1000], received = stackalloc byte[1000];
        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < count; i++)
        {
            client.Send(sent);
            for (var at = 0; at < received.Length;)
            {
                at += client.Receive(received[at..]);
            }
        }

        return GC.GetTotalAllocatedBytes(precise: true) - before;
    }
}
