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
    private long _received;

    /// <summary>Requests answered with 200 because what they brought is stored, degraded ones included.</summary>
    public long Accepted => Interlocked.Read(ref _accepted);

    /// <summary>Bytes of the bodies of those, as they came over the wire.</summary>
    public long AcceptedWireBytes => Interlocked.Read(ref _wireBytes);

    /// <summary>Bytes of all bodies as they came over the wire, whatever became of them. Counted when a request is over.</summary>
    public long ReceivedWireBytes => Interlocked.Read(ref _received);

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

    /// <summary>Requests that were refused, by the word of the refusal. All words, those that never occurred, too.</summary>
    public IEnumerable<KeyValuePair<string, long>> Refused =>
        refusals.Select((word, index) => KeyValuePair.Create(word, Interlocked.Read(ref _refused[index])));

    /// <summary>Requests that were answered, whatever with.</summary>
    public long Finished
    {
        get
        {
            var finished = Accepted;
            for (var i = 0; i < _refused.Length; i++)
            {
                finished += Interlocked.Read(ref _refused[i]);
            }

            return finished;
        }
    }

    /// <summary>Everything that has a present value.</summary>
    public IReadOnlyList<Gauge> Gauges => _gauges;

    /// <summary>Where uploads under way are listed. Set once, at the start.</summary>
    public Func<IEnumerable<UploadInFlight>> InFlight { get; set; } = static () => [];

    public void CountAccepted(long wireBytes)
    {
        Interlocked.Increment(ref _accepted);
        Interlocked.Add(ref _wireBytes, wireBytes);
    }

    public void CountReceived(long wireBytes) => Interlocked.Add(ref _received, wireBytes);

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

/// <summary>What an upload under way is doing.</summary>
internal enum UploadStage : byte
{
    /// <summary>Its head is being judged.</summary>
    Head,

    /// <summary>It waits for a place among the uploads, or for its turn to be read.</summary>
    Waiting,

    /// <summary>Its body is coming in.</summary>
    Body,

    /// <summary>Its token is wrong, and its answer is held back.</summary>
    HeldBack,

    /// <summary>All of it is here, and it waits for its commit.</summary>
    Commit,
}

/// <summary>One upload that is under way. What tells of its token is empty while it has shown none.</summary>
/// <param name="Token">Its token with the middle left out.</param>
/// <param name="Account">The key of its token.</param>
/// <param name="Project">Universe and project.</param>
/// <param name="Client">The address it comes from; empty when unknown.</param>
/// <param name="Age">How long ago its head was complete.</param>
/// <param name="WireBytes">What has come of its body so far.</param>
/// <param name="Stage">What it is doing.</param>
internal sealed record UploadInFlight(string Token, string Account, string Project, string Client, TimeSpan Age, long WireBytes, UploadStage Stage);
