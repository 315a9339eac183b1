using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using FastListener.Hosting.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

#pragma warning disable xUnit1069 // a timeout only ends a test that hangs, and a test that hangs has failed

namespace FastListener.Transport;

/// <summary>At the bound accepting pauses: whoever comes then waits in the kernel's queue and is refused by nobody.</summary>
public sealed class ConnectionPlacesTests : IAsyncDisposable
{
    private const int Hang = 60_000;

    private static readonly TransportOptions s_options = new() { MaxConnections = 2, CloseTimeout = TimeSpan.FromMilliseconds(50), HandshakeGrace = TimeSpan.FromMilliseconds(1) };
    private readonly PooledBlockFactory _memory = new(s_options, TimeProvider.System);
    private readonly ConnectionPlaces _places = new(s_options.MaxConnections);
    private readonly List<IAsyncDisposable> _opened = [];
    private readonly List<Socket> _clients = [];

    private static CancellationToken Ends => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var opened in _opened)
        {
            await opened.DisposeAsync();
        }

        _clients.ForEach(client => client.Dispose());
        _memory.Dispose();
    }

    [Fact(Timeout = Hang)]
    public async Task At_the_bound_the_next_client_waits_in_the_queue_and_is_served_when_one_has_ended()
    {
        var listener = Listen();
        var first = await AcceptAsync(listener);
        await AcceptAsync(listener);
        var next = Connect(listener);
        await next.SendAsync(new byte[] { 42 }); // through the handshake, and its bytes are taken by the kernel
        var accepting = listener.AcceptAsync(Ends);
        Assert.False(accepting.IsCompleted);

        await first.DisposeAsync();
        var served = Keep(await accepting);
        Assert.Equal(next.LocalEndPoint, served.RemoteEndPoint);
        Assert.Equal(42, (await served.Transport.Input.ReadAsync(Ends)).Buffer.FirstSpan[0]);
        Assert.Equal(2, _places.Taken);
    }

    [Fact(Timeout = Hang)]
    public async Task Endpoints_share_the_places_and_what_ends_at_one_wakes_all()
    {
        var factory = new OwnTransportFactory(s_options, _memory, _places, TimeProvider.System, NullLoggerFactory.Instance);
        var plain = Keep(await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0), Ends));
        var secure = Keep(await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0), Ends));
        var first = await AcceptAsync(plain);
        await AcceptAsync(plain);
        Connect(secure);
        var here = plain.AcceptAsync(Ends); // nobody has connected: it must not keep the place from the other one
        var there = secure.AcceptAsync(Ends);
        Assert.False(there.IsCompleted);

        await first.DisposeAsync();
        Keep(await there);
        Assert.False(here.IsCompleted);
        await plain.UnbindAsync(Ends);
        Assert.Null(await here);
    }

    [Fact(Timeout = Hang)]
    public async Task A_stop_while_accepting_is_paused_takes_what_is_queued_and_ends_at_once()
    {
        var listener = Listen();
        await AcceptAsync(listener);
        await AcceptAsync(listener);
        var queued = Enumerable.Range(0, 5).Select(_ => Connect(listener).LocalEndPoint).ToList();
        var accepting = listener.AcceptAsync(Ends);
        Assert.False(accepting.IsCompleted);
        await listener.UnbindAsync(Ends);
        var taken = new List<EndPoint?>();
        for (var connection = await accepting; connection is not null; connection = await listener.AcceptAsync(Ends))
        {
            taken.Add(Keep(connection).RemoteEndPoint);
        }

        Assert.Equal(queued, taken);
        Assert.Equal(7, _places.Taken);
    }

    [Fact(Timeout = Hang)]
    public async Task A_stop_while_accepting_is_paused_leaves_a_shared_queue_to_the_heir()
    {
        var listener = Listen(shared: true);
        await AcceptAsync(listener);
        await AcceptAsync(listener);
        Connect(listener);
        var accepting = listener.AcceptAsync(Ends);
        await listener.UnbindAsync(Ends);
        Assert.Null(await accepting);
        Assert.Equal(2, _places.Taken);
    }

    [Fact(Timeout = Hang)]
    public async Task An_accept_that_is_cancelled_while_it_is_paused_costs_no_place()
    {
        var listener = Listen();
        var first = await AcceptAsync(listener);
        await AcceptAsync(listener);
        Connect(listener);
        for (var round = 0; round < 3; round++)
        {
            using var soon = new CancellationTokenSource();
            var paused = listener.AcceptAsync(soon.Token).AsTask();
            await soon.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => paused);
        }

        await first.DisposeAsync();
        Assert.Equal(1, _places.Taken);
        Keep(await listener.AcceptAsync(Ends));
    }

    [Theory(Timeout = Hang)]
    [InlineData("handler returns")]
    [InlineData("client resets")]
    [InlineData("server aborts")]
    [InlineData("client never reads")]
    public async Task However_a_connection_ends_its_place_is_given_back_once(string end)
    {
        var listener = Listen();
        var client = Connect(listener);
        var connection = (await listener.AcceptAsync(Ends))!;
        switch (end)
        {
            case "client resets":
                client.Close(0);
                break;
            case "server aborts":
                connection.Abort();
                break;
            case "client never reads":
                connection.Transport.Output.GetSpan(50_000_000).Clear();
                connection.Transport.Output.Advance(50_000_000);
                break;
        }

        Assert.Equal(1, _places.Taken);
        await connection.DisposeAsync();
        await connection.DisposeAsync();
        Assert.Equal(0, _places.Taken);
    }

    [Fact(Timeout = Hang)]
    public async Task A_connection_that_never_came_to_be_takes_no_place()
    {
        var gone = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        gone.Dispose();
        var listener = Listen(accept: (_, _) => new(gone));
        Assert.Null(await listener.AcceptAsync(Ends));
        Assert.Equal(0, _places.Taken);
    }

    [Fact(Timeout = Hang)]
    public async Task Under_many_hands_every_place_given_back_is_found_again()
    {
        // The count crosses the bound again and again while others begin to wait: a wake-up that is lost would leave one of them waiting for ever.
        const int Rounds = 20_000;
        var begun = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(
            async () =>
            {
                while (Interlocked.Increment(ref begun) <= Rounds)
                {
                    await _places.WaitAsync(Ends);
                    _places.Take();
                    await Task.Yield();
                    _places.GiveBack();
                }
            },
            Ends)));
        Assert.Equal(0, _places.Taken);
    }

    [Fact]
    public void While_there_are_places_nothing_is_allocated()
    {
        Round();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 1000; round++)
        {
            Round();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Round()
        {
            Assert.True(_places.WaitAsync(Ends).IsCompletedSuccessfully);
            _places.Take();
            _places.GiveBack();
        }
    }

    [Fact(Timeout = Hang)]
    public async Task An_inherited_socket_keeps_the_backlog_that_it_came_with()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The kernel tells the backlog on Linux only.");
        using var inherited = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        inherited.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        inherited.Listen(1234);
        var factory = new OwnTransportFactory(s_options, _memory, new ConnectionPlaces(0), TimeProvider.System, NullLoggerFactory.Instance);
        var listener = await factory.BindAsync(new FileHandleEndPoint((ulong)inherited.Handle, FileHandleType.Auto), Ends);
        Assert.Equal(1234, Backlog(inherited));
        Connect(listener);
        Keep(await listener.AcceptAsync(Ends));
    }

    /// <summary>Of a listening socket: tcpi_sacked of tcp_info.</summary>
    private static int Backlog(Socket listening)
    {
        const int Tcp = 6, TcpInfo = 11, Sacked = 28;
        var info = new byte[104];
        listening.GetRawSocketOption(Tcp, TcpInfo, info);
        return BinaryPrimitives.ReadInt32LittleEndian(info.AsSpan(Sacked));
    }

    private SocketListener Listen(bool shared = false, Func<Socket, CancellationToken, ValueTask<Socket>>? accept = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(100);
        return Keep(new SocketListener(
            socket, shared, new ListenerContext(s_options, _memory.Blocks, _memory.Create(), _places, TimeProvider.System, NullLogger.Instance), accept));
    }

    private Socket Connect(IConnectionListener listener)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _clients.Add(client);
        client.Connect(listener.EndPoint);
        return client;
    }

    private async Task<ConnectionContext> AcceptAsync(IConnectionListener listener)
    {
        Connect(listener);
        return Keep(await listener.AcceptAsync(Ends));
    }

    private T Keep<T>(T? opened)
        where T : class, IAsyncDisposable
    {
        Assert.NotNull(opened);
        _opened.Add(opened);
        return opened;
    }
}
