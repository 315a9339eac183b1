using FastListener.Configuration;
using FastListener.Diagnostics;
using FastListener.Intake;
using FastListener.Overload;
using FastListener.Protocol.Http;

namespace FastListener.Connections;

/// <summary>What a connection needs of the rest of the program. One for the whole process.</summary>
internal sealed record ListenerServices(ListenerSettings Settings, IntakePool Intakes, OverloadControl Overload, RequestFigures Figures, TimeProvider Time, ILogger Log)
{
    /// <summary>Connections by address.</summary>
    public AddressCap Addresses { get; } = new(Settings.Limits.MaxConnectionsPerAddress);

    /// <summary>The limits of a request head.</summary>
    public HeadLimits HeadLimits { get; } = new()
    {
        MaxHeadBytes = Settings.Limits.MaxHeadBytes,
        MaxFields = Settings.Limits.MaxFields,
        MaxTargetBytes = Settings.Limits.MaxTargetBytes,
    };
}
