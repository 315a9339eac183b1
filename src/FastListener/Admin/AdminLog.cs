using System.Net;

namespace FastListener.Admin;

/// <summary>Event ids 150-199 belong to the admin endpoint. Next free: 155. Ids are never used again.</summary>
internal static partial class AdminLog
{
    [LoggerMessage(150, LogLevel.Information, "Admin endpoint on http://{Address}")]
    public static partial void Listening(ILogger logger, EndPoint address);

    [LoggerMessage(151, LogLevel.Warning, "The admin endpoint cannot listen on {Address} ({Why}); uploads are taken all the same, and it is tried again")]
    public static partial void Unavailable(ILogger logger, EndPoint address, string why);

    [LoggerMessage(152, LogLevel.Warning, "The admin endpoint could not accept a connection ({Error}); next try in a second")]
    public static partial void AcceptFailed(ILogger logger, string error);

    [LoggerMessage(153, LogLevel.Error, "The admin endpoint, or the socket for audits, failed through a fault of ours")]
    public static partial void InternalFault(ILogger logger, Exception fault);

    [LoggerMessage(154, LogLevel.Warning, "No socket at {Path} ({Why}): audits will not see uploads under way")]
    public static partial void NoAuditSocket(ILogger logger, string path, string why);
}
