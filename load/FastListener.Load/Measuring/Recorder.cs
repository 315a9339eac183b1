using System.Diagnostics;
using System.Runtime.InteropServices;
using HdrHistogram;

namespace FastListener.Load.Measuring;

/// <summary>What one interval of a run saw. Latencies in microseconds from the due time.</summary>
internal sealed record IntervalPoint(double FromSeconds, double ToSeconds, long Offered, long Answered, long Failed, long P50, long P90, long P99, long Max, int InFlight, int Backlog)
{
    public double Length => Math.Max(1e-9, ToSeconds - FromSeconds);

    public double AnsweredPerSecond => Answered / Length;

    public double OfferedPerSecond => Offered / Length;
}

/// <summary>Counts and times what one population does. Not thread-safe: one loop owns it.</summary>
internal sealed class Recorder
{
    private const long HighestMicroseconds = 3_600_000_000;
    private readonly LongHistogram _interval = new(HighestMicroseconds, 2);
    private readonly List<IntervalPoint> _timeline = [];
    private readonly Dictionary<string, long> _errors = new(StringComparer.Ordinal);
    private readonly List<ulong> _acknowledged = [];
    private double _intervalStart;
    private long _intervalOffered;
    private long _intervalAnswered;
    private long _intervalFailed;

    public LongHistogram FromDue { get; } = new(HighestMicroseconds, 3);

    public LongHistogram FromSend { get; } = new(HighestMicroseconds, 3);

    public long Offered { get; private set; }

    /// <summary>Answered as hoped within the window.</summary>
    public long Answered { get; private set; }

    /// <summary>Answered as hoped, after the window had closed.</summary>
    public long AnsweredLate { get; private set; }

    public long Failed { get; private set; }

    /// <summary>Request bytes of answered requests within the window, heads included.</summary>
    public long Bytes { get; private set; }

    public long Handshakes { get; set; }

    public long Resumed { get; set; }

    public IReadOnlyDictionary<string, long> Errors => _errors;

    public IReadOnlyList<IntervalPoint> Timeline => _timeline;

    /// <summary>Sequence numbers of every request that was acknowledged (2xx), late ones included; a refusal that was hoped for is none.</summary>
    public ReadOnlySpan<ulong> Acknowledged => CollectionsMarshal.AsSpan(_acknowledged);

    /// <summary>Something happened since the last interval was closed.</summary>
    public bool HasOpenInterval => _intervalOffered + _intervalAnswered + _intervalFailed > 0;

    public static long Microseconds(long ticks) => ticks <= 0 ? 0 : (long)(ticks * (1_000_000.0 / Stopwatch.Frequency));

    public void Offer()
    {
        Offered++;
        _intervalOffered++;
    }

    public void Answer(ulong sequence, int status, long bytes, long dueTicks, long sendTicks, long doneTicks, bool late)
    {
        if (status is >= 200 and < 300)
        {
            _acknowledged.Add(sequence);
        }

        if (late)
        {
            AnsweredLate++;
        }
        else
        {
            Answered++;
            Bytes += bytes;
        }

        var micros = Math.Min(HighestMicroseconds, Microseconds(doneTicks - dueTicks));
        FromDue.RecordValue(micros);
        FromSend.RecordValue(Math.Min(HighestMicroseconds, Microseconds(doneTicks - sendTicks)));
        _interval.RecordValue(micros);
        _intervalAnswered++;
    }

    public void Fail(string reason)
    {
        Failed++;
        _intervalFailed++;
        CollectionsMarshal.GetValueRefOrAddDefault(_errors, reason, out _)++;
    }

    public void CloseInterval(double nowSeconds, int inFlight, int backlog)
    {
        var any = _interval.TotalCount > 0;
        _timeline.Add(new IntervalPoint(
            _intervalStart,
            nowSeconds,
            _intervalOffered,
            _intervalAnswered,
            _intervalFailed,
            any ? _interval.GetValueAtPercentile(50) : 0,
            any ? _interval.GetValueAtPercentile(90) : 0,
            any ? _interval.GetValueAtPercentile(99) : 0,
            any ? _interval.GetMaxValue() : 0,
            inFlight,
            backlog));
        _interval.Reset();
        _intervalStart = nowSeconds;
        _intervalOffered = _intervalAnswered = _intervalFailed = 0;
    }
}
