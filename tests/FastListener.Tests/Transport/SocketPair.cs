using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using FastListener.Hosting.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastListener.Transport;

/// <summary>A connection of our transport without Kestrel around it, and the client at its other end.</summary>
internal sealed class SocketPair : IAsyncDisposable
{
    private readonly PooledBlockFactory _memory;
    private readonly IConnectionListener _listener;

    private SocketPair(PooledBlockFactory memory, IConnectionListener listener, Socket client, ConnectionContext server)
    {
        (_memory, _listener, Client, Server) = (memory, listener, client, server);
    }

    public Socket Client { get; }

    public ConnectionContext Server { get; }

    public PipeReader Input => Server.Transport.Input;

    public PipeWriter Output => Server.Transport.Output;

    public BlockPool Blocks => _memory.Blocks;

    public static async Task<SocketPair> CreateAsync(TransportOptions? options = null)
    {
        options ??= new TransportOptions();
        var memory = new PooledBlockFactory(options, TimeProvider.System);
        var factory = new OwnTransportFactory(options, memory, new ConnectionPlaces(0), TimeProvider.System, NullLoggerFactory.Instance);
        var listener = await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(listener.EndPoint);
        return new SocketPair(memory, listener, client, (await listener.AcceptAsync())!);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Client.Dispose();
        await _listener.DisposeAsync();
        _memory.Dispose();
    }
}
