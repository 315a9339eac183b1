using FastListener.Load.Sockets;

namespace FastListener.Load.Scenarios;

/// <summary>A stretch of an open loop: the rate moves evenly from one value to the other, in requests a second.</summary>
internal readonly record struct RateStage(double From, double To, TimeSpan Duration)
{
    public double Requests => (From + To) / 2 * Duration.TotalSeconds;
}

/// <summary>How a population decides when to send.</summary>
internal abstract record Workload
{
    public abstract TimeSpan Duration { get; }

    /// <summary>Connections open at once, at most.</summary>
    public abstract int Connections { get; }
}

/// <summary>Each connection sends its next request when the last one was answered: what the server can do, but nothing about waiting.</summary>
internal sealed record ClosedLoop(int FixedConnections, TimeSpan For, long RequestsEach = long.MaxValue) : Workload
{
    public override TimeSpan Duration => For;

    public override int Connections => FixedConnections;
}

/// <summary>
/// Requests fall due by the clock whether or not the server keeps up (Poisson gaps from a fixed seed). Latency counts from the due time, so
/// waiting for a free connection is part of it. What waits beyond <paramref name="MaxBacklog"/> is not sent and counts as failed.
/// </summary>
internal sealed record OpenLoop(IReadOnlyList<RateStage> Stages, int MaxConnections, int MaxBacklog) : Workload
{
    public override TimeSpan Duration => Stages.Aggregate(TimeSpan.Zero, (sum, stage) => sum + stage.Duration);

    public override int Connections => MaxConnections;
}

/// <summary>Clients of one kind.</summary>
internal sealed record Population
{
    public required string Name { get; init; }

    public required RequestTemplate Request { get; init; }

    /// <summary>Sent on the same connection after each success, with the object's id from its answer.</summary>
    public RequestTemplate? FollowUp { get; init; }

    public required Workload Workload { get; init; }

    /// <summary>A new connection for every request, as phones do.</summary>
    public bool OneConnectionEach { get; init; }

    /// <summary>How fast a connection sends; 0 is as fast as it can.</summary>
    public int BytesPerSecond { get; init; }

    /// <summary>Offer the last TLS session for resumption.</summary>
    public bool ResumeTls { get; init; } = true;
}

/// <summary>Populations that run at once against one target. Bounded in time by its workloads, the drain and the request time-out.</summary>
internal sealed record Scenario
{
    public required string Name { get; init; }

    public required string Description { get; init; }

    public required LoopbackTarget Target { get; init; }

    public required IReadOnlyList<Population> Populations { get; init; }

    /// <summary>A request unanswered for so long has failed.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long requests under way at the end may still take. They count as answered late, not into the rate.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The number that the first request carries; later ones count up from it.</summary>
    public ulong FirstSequence { get; init; } = 1;

    public TimeSpan Duration => Populations.Max(p => p.Workload.Duration);
}
