using System.Net;

namespace FastListener.Connections;

/// <summary>Event ids 100-149 belong to connections. Next free: 103. Ids are never used again.</summary>
internal static partial class ConnectionLog
{
    [LoggerMessage(100, LogLevel.Debug, "Connection {ConnectionId} was lost: {Kind}")]
    public static partial void Lost(ILogger logger, string connectionId, string kind);

    [LoggerMessage(101, LogLevel.Debug, "Refused {Word} from {Client}")]
    public static partial void Refused(ILogger logger, string word, IPAddress? client);

    [LoggerMessage(102, LogLevel.Error, "Connection {ConnectionId}: a request failed through a fault of ours")]
    public static partial void InternalFault(ILogger logger, string connectionId, Exception fault);
}
