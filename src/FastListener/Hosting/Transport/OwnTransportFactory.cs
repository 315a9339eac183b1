using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace FastListener.Hosting.Transport;

/// <summary>Kestrel asks it first to bind an endpoint: TCP, Unix domain, or a listening descriptor that was inherited.</summary>
internal sealed class OwnTransportFactory(
    TransportOptions options, PooledBlockFactory memory, ConnectionPlaces places, TimeProvider clock, ILoggerFactory loggers)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private const int OptionLevelTcp = 6;
    private const int OptionDeferAccept = 9;

    private readonly ListenerContext _context =
        new(options, memory.Blocks, memory.Create(), places, clock, loggers.CreateLogger("FastListener.Transport"));

    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint or UnixDomainSocketEndPoint or FileHandleEndPoint;

    /// <remarks>A socket that was inherited keeps the backlog that whoever made it chose.</remarks>
    /// <exception cref="AddressInUseException">Somebody else listens there.</exception>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Socket? socket = null;
        try
        {
            socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint); // the same rules as without us, dual stack included
            if (socket.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
            {
                socket.NoDelay = true; // accepted sockets inherit it
                if (_context.Options.DeferAcceptSeconds > 0 && endpoint is IPEndPoint && OperatingSystem.IsLinux())
                {
                    socket.SetRawSocketOption(OptionLevelTcp, OptionDeferAccept, BitConverter.GetBytes(_context.Options.DeferAcceptSeconds));
                }
            }

            if (endpoint is not FileHandleEndPoint || !IsListening(socket))
            {
                socket.Listen(_context.Options.Backlog);
            }

            return ValueTask.FromResult<IConnectionListener>(new SocketListener(socket, endpoint is FileHandleEndPoint, _context));
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            throw e.SocketErrorCode == SocketError.AddressAlreadyInUse ? new AddressInUseException(e.Message, e) : e;
        }
    }

    private static bool IsListening(Socket socket) => (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.AcceptConnection)! != 0;
}
