using System.Net;

namespace FastListener.Intake;

/// <summary>Event ids 200-249 belong to intake. Next free: 204. Ids are never used again.</summary>
internal static partial class IntakeLog
{
    [LoggerMessage(200, LogLevel.Debug, "Refused {Word} from {Client}")]
    public static partial void Refused(ILogger logger, string word, IPAddress? client);

    [LoggerMessage(201, LogLevel.Debug, "Degraded to {Level} ({Reason}); what was kept is stored")]
    public static partial void Degraded(ILogger logger, string level, string reason);

    [LoggerMessage(202, LogLevel.Error, "A submission was refused because the store failed")]
    public static partial void StorageFault(ILogger logger, Exception fault);

    [LoggerMessage(203, LogLevel.Debug, "A further submission was refused because the store failed: {Message}")]
    public static partial void StorageFaultAgain(ILogger logger, string message);
}
