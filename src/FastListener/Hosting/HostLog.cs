using FastListener.Overload;

namespace FastListener.Hosting;

/// <summary>Event ids 1-99 belong to the host. Next free: 11. Ids are never used again.</summary>
internal static partial class HostLog
{
    [LoggerMessage(1, LogLevel.Information, "Listening on {Address}")]
    public static partial void Listening(ILogger logger, string address);

    [LoggerMessage(2, LogLevel.Information, "Data in {Directory}")]
    public static partial void DataIn(ILogger logger, string directory);

    [LoggerMessage(3, LogLevel.Information, "Stopping: no new connections; uploads in flight have {Seconds} s to finish")]
    public static partial void Stopping(ILogger logger, int seconds);

    [LoggerMessage(4, LogLevel.Information, "Stopped; everything that was acknowledged is stored")]
    public static partial void Stopped(ILogger logger);

    [LoggerMessage(5, LogLevel.Information, "The certificate {Path} was reloaded")]
    public static partial void CertificateReloaded(ILogger logger, string path);

    [LoggerMessage(6, LogLevel.Error, "The certificate {Path} cannot be used, the former one stays: {Why}")]
    public static partial void CertificateRefused(ILogger logger, string path, string why);

    [LoggerMessage(7, LogLevel.Warning, "Pressure: {Word}, {Level}")]
    public static partial void PressureRose(ILogger logger, string word, PressureLevel level);

    [LoggerMessage(8, LogLevel.Information, "Pressure is over")]
    public static partial void PressureOver(ILogger logger);

    [LoggerMessage(9, LogLevel.Information, "These sockets were passed on by the service manager: the addresses in Listen:Http and Listen:Https are not used")]
    public static partial void SocketsPassedOn(ILogger logger);

    [LoggerMessage(10, LogLevel.Critical, "The store has failed through a defect: this process ends with exit code 1, so that another one is started, and recovers")]
    public static partial void StoreFailed(ILogger logger);

    /// <summary>What runs short has changed.</summary>
    public static void PressureChanged(ILogger logger, PressureState state)
    {
        if (state.Level is PressureLevel.None)
        {
            PressureOver(logger);
        }
        else
        {
            PressureRose(logger, state.Word, state.Level);
        }
    }
}
