namespace FastListener.Diagnostics;

/// <summary>
/// What has become of requests since the start, and what is going on now, for whoever shows it to an operator. Knows nothing of where its
/// figures come from: each room counts here, or leaves a gauge that is read when somebody asks.
/// </summary>
/// <param name="refusals">The words of all refusals; the position of a word is the number under which it is counted.</param>
internal sealed class RequestFigures(IReadOnlyList<string> refusals)
{
    private readonly long[] _refused = new long[refusals.Count];
    private readonly Lock _gaugesLock = new();
    private readonly Dictionary<(string Level, string Reason), long> _degraded = [];
    private volatile Gauge[] _gauges = [];
    private long _accepted;
    private long _wireBytes;

    /// <summary>Requests answered with 200 because what they brought is stored, degraded ones included.</summary>
    public long Accepted => Interlocked.Read(ref _accepted);

    /// <summary>Bytes of the bodies of those, as they came over the wire.</summary>
    public long AcceptedWireBytes => Interlocked.Read(ref _wireBytes);

    /// <summary>Requests that were degraded, by what was given up and why.</summary>
    public IReadOnlyList<DegradedCount> Degraded
    {
        get
        {
            lock (_degraded)
            {
                return [.. _degraded.Select(pair => new DegradedCount(pair.Key.Level, pair.Key.Reason, pair.Value))];
            }
        }
    }

    /// <summary>Requests that were refused, by the word of the refusal; words that never occurred are left out.</summary>
    public IEnumerable<KeyValuePair<string, long>> Refused =>
        refusals.Select((word, index) => KeyValuePair.Create(word, Interlocked.Read(ref _refused[index]))).Where(pair => pair.Value != 0);

    /// <summary>Everything that has a present value.</summary>
    public IReadOnlyList<Gauge> Gauges => _gauges;

    /// <summary>Where uploads under way are listed. Set once, at the start.</summary>
    public Func<IEnumerable<UploadInFlight>> InFlight { get; set; } = static () => [];

    public void CountAccepted(long wireBytes)
    {
        Interlocked.Increment(ref _accepted);
        Interlocked.Add(ref _wireBytes, wireBytes);
    }

    public void CountDegraded(string level, string reason)
    {
        lock (_degraded)
        {
            _degraded[(level, reason)] = _degraded.GetValueOrDefault((level, reason)) + 1;
        }
    }

    /// <param name="refusal">The position of its word.</param>
    public void CountRefused(int refusal) => Interlocked.Increment(ref _refused[refusal]);

    /// <summary>Adds a gauge.</summary>
    /// <param name="name">What it measures, in lower case with underscores, its unit at the end.</param>
    /// <param name="help">A sentence about it.</param>
    /// <param name="value">Reads it. From any thread; must neither block nor throw.</param>
    public void AddGauge(string name, string help, Func<double> value)
    {
        lock (_gaugesLock)
        {
            _gauges = [.. _gauges, new Gauge(name, help, value)];
        }
    }
}

/// <summary>A value that is read when somebody asks.</summary>
internal sealed record Gauge(string Name, string Help, Func<double> Value);

/// <summary>How many requests gave up the same for the same reason.</summary>
internal sealed record DegradedCount(string Level, string Reason, long Count);

/// <summary>One upload that is under way.</summary>
/// <param name="Account">The key of its token; empty while it has shown none.</param>
/// <param name="Client">The address it comes from; empty when unknown.</param>
/// <param name="Since">When its head was complete.</param>
/// <param name="WireBytes">What has come of its body so far.</param>
internal sealed record UploadInFlight(string Account, string Client, DateTimeOffset Since, long WireBytes);
