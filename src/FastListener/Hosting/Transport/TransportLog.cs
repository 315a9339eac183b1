using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace FastListener.Hosting.Transport;

/// <summary>What the transport has to say. Event ids 700-719 belong to it. Next free: 706. Ids are never reused.</summary>
internal static partial class TransportLog
{
    [LoggerMessage(700, LogLevel.Warning, "Accepting on {EndPoint} failed ({Error}); next try in {Pause}")]
    public static partial void AcceptFailed(ILogger logger, EndPoint endPoint, SocketError error, TimeSpan pause);

    [LoggerMessage(701, LogLevel.Debug, "A connection in the queue of {EndPoint} was gone before it was accepted ({Error})")]
    public static partial void GoneBeforeAccept(ILogger logger, EndPoint endPoint, SocketError error);

    [LoggerMessage(702, LogLevel.Debug, "Connection {ConnectionId}: lost ({Error})")]
    public static partial void Reset(ILogger logger, string connectionId, SocketError error);

    [LoggerMessage(703, LogLevel.Debug, "Connection {ConnectionId}: cut off, its last bytes were not taken within {Timeout}")]
    public static partial void CutOff(ILogger logger, string connectionId, TimeSpan timeout);

    [LoggerMessage(704, LogLevel.Error, "Connection {ConnectionId}: a callback of its ConnectionClosed token failed")]
    public static partial void ClosedCallbackFailed(ILogger logger, Exception exception, string connectionId);

    [LoggerMessage(705, LogLevel.Debug, "Stopped accepting on {EndPoint}; took {Count} connections that were queued already")]
    public static partial void Unbound(ILogger logger, EndPoint endPoint, int count);
}
