using System.Net;

namespace FastListener.Intake;

/// <summary>Event ids 200-249 belong to intake. Next free: 201. Ids are never used again.</summary>
internal static partial class IntakeLog
{
    [LoggerMessage(200, LogLevel.Debug, "Refused {Word} from {Client}")]
    public static partial void Refused(ILogger logger, string word, IPAddress? client);
}
