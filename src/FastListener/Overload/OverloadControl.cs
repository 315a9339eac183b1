using FastListener.Configuration;

namespace FastListener.Overload;

/// <summary>
/// Everything that slows uploads down before any is refused: the gates of connections, uploads and reading, and the pressure that
/// narrows the last one. One for the whole process.
/// </summary>
internal sealed class OverloadControl : IDisposable
{
    /// <summary>Forms that may stage at once more than each may before its token; each has this part of <c>Limits:MaxUnauthenticatedBytes</c>.</summary>
    public const int StagingShares = 16;

    private const int SliceBytes = 64 * 1024; // what a read of the transport brings at most: one turn for each payer per round

    /// <param name="options">The settings.</param>
    /// <param name="limits">The caps on connections and uploads.</param>
    /// <param name="sources">What can run short.</param>
    /// <param name="time">The clock.</param>
    public OverloadControl(OverloadOptions options, IntakeLimits limits, IEnumerable<PressureSource> sources, TimeProvider time)
    {
        Options = options;
        Limits = limits;
        Time = time;
        Connections = new FairGate(limits.MaxConnections, quantum: 1, time);
        Uploads = new FairGate(limits.MaxUploads == 0 ? FairGate.Open : limits.MaxUploads, quantum: 1, time);
        Reading = new FairGate(options.ReadingTurns, SliceBytes, time);
        Staging = new FairGate(StagingShares, quantum: 1, time);
        Pressure = new Pressure(sources, options.DegradeAfter, time);
        Pressure.Changed += Adjust;
    }

    public OverloadOptions Options { get; }

    public IntakeLimits Limits { get; }

    public TimeProvider Time { get; }

    /// <summary>Connections that are served.</summary>
    public FairGate Connections { get; }

    /// <summary>Uploads that have begun.</summary>
    public FairGate Uploads { get; }

    /// <summary>Uploads whose bytes are being taken in.</summary>
    public FairGate Reading { get; }

    /// <summary>Forms that stage much before their token.</summary>
    public FairGate Staging { get; }

    /// <summary>Who pays there: nobody knows more of them than where they come from.</summary>
    public SenderShares Senders { get; } = new();

    /// <summary>What runs short.</summary>
    public Pressure Pressure { get; }

    /// <summary>Those who have not shown a token yet: one payer together.</summary>
    public TokenTraffic Strangers { get; } = new();

    /// <summary>What every connection pays with: they are all alike.</summary>
    public GateShare AnyConnection { get; } = new();

    /// <summary>Puts a token's limits in force, for those who wait already, too.</summary>
    /// <param name="traffic">The token's traffic.</param>
    /// <param name="maxUploads">Its uploads at once; 0 is unlimited.</param>
    /// <param name="bytesPerSecond">Its rate; 0 is unlimited.</param>
    /// <param name="burstBytes">What it may save up.</param>
    public void Apply(TokenTraffic traffic, int maxUploads, long bytesPerSecond, long burstBytes)
    {
        Uploads.SetLimits(traffic.Uploads, maxUploads, 0, 0);
        Reading.SetLimits(traffic.Reading, 0, bytesPerSecond, Math.Max(1, burstBytes));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Pressure.Dispose();
        Connections.Dispose();
        Uploads.Dispose();
        Reading.Dispose();
        Staging.Dispose();
    }

    private void Adjust(PressureState state) => Reading.SetLimit(state.Level switch
    {
        PressureLevel.None => Options.ReadingTurns,
        PressureLevel.Slow => Math.Min(Options.PressedTurns, Options.ReadingTurns),
        _ => 0,
    });
}
