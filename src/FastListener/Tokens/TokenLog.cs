using Microsoft.Extensions.Logging;

namespace FastListener.Tokens;

internal static partial class TokenLog
{
    // Event ids 300-349 belong to tokens. Next free: 304. Ids are never reused.

    [LoggerMessage(300, LogLevel.Information, "Loaded {Enabled} enabled and {Disabled} disabled tokens from {Path}")]
    public static partial void Loaded(ILogger logger, int enabled, int disabled, string path);

    [LoggerMessage(301, LogLevel.Error, "{Path} cannot be used, the tokens loaded before stay in force: {Faults}")]
    public static partial void Invalid(ILogger logger, string path, string faults);

    [LoggerMessage(302, LogLevel.Warning, "{Path} is missing, the tokens loaded before stay in force")]
    public static partial void Missing(ILogger logger, string path);

    [LoggerMessage(303, LogLevel.Error, "{Path} cannot be read, the tokens loaded before stay in force")]
    public static partial void Unreadable(ILogger logger, Exception failure, string path);
}
