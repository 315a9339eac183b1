using System.Diagnostics;
using FastListener.Load.Measuring;

namespace FastListener.Load.Engines;

/// <summary>
/// The stretch of an NBomber run that counts: from its first call to the planned end. What NBomber does before and after (its own start, the
/// drain, its reports) is in nobody's figures.
/// </summary>
internal sealed class NBomberWindow : IDisposable
{
    private readonly TimeSpan _planned;
    private readonly int? _serverProcess;
    private readonly NBomberPopulation[] _runs;
    private readonly Action<double>? _told;
    private readonly Lock _lock = new();
    private UsageSampler? _sampler;
    private Timer? _ticker;
    private Timer? _end;
    private Stopwatch? _clock;
    private bool _open;
    private bool _measured;
    private bool _closed;

    public NBomberWindow(TimeSpan planned, int? serverProcess, NBomberPopulation[] runs, Action<double>? told)
    {
        _planned = planned;
        _serverProcess = serverProcess;
        _runs = runs;
        _told = told;
    }

    public double ServerSeconds { get; private set; }

    public double GeneratorSeconds { get; private set; }

    public long PeakAnonymousBytes => _sampler?.PeakAnonymousBytes ?? 0;

    public IReadOnlyList<UsagePoint> Usage => _sampler?.Points ?? [];

    /// <summary>The planned time, or up to the last answer when all was counted out before that.</summary>
    public TimeSpan Length
    {
        get
        {
            var last = _runs.Max(r => r.LastAnswerSeconds);
            return _runs.All(r => r.EndedEarly) && last > 0 && last < _planned.TotalSeconds ? TimeSpan.FromSeconds(last) : _planned;
        }
    }

    /// <summary>Called before each request; the first one counts.</summary>
    public void Open()
    {
        if (Volatile.Read(ref _open))
        {
            return;
        }

        lock (_lock)
        {
            if (_clock is not null)
            {
                return;
            }

            _clock = Stopwatch.StartNew();
            _sampler = new UsageSampler(_serverProcess);
            foreach (var run in _runs)
            {
                run.Begin(_planned);
            }

            _ticker = new Timer(_ => Tick(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
            _end = new Timer(_ => Measure(), null, _planned, Timeout.InfiniteTimeSpan);
            Volatile.Write(ref _open, true);
        }
    }

    /// <summary>Every answer is in.</summary>
    public void Close()
    {
        Measure();
        lock (_lock)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            foreach (var run in _runs)
            {
                run.Finish();
            }
        }
    }

    public void Dispose()
    {
        _ticker?.Dispose();
        _end?.Dispose();
        _sampler?.Dispose();
    }

    private void Measure()
    {
        lock (_lock)
        {
            if (!_measured && _sampler is not null)
            {
                _measured = true;
                (ServerSeconds, GeneratorSeconds) = _sampler.Used();
            }
        }
    }

    private void Tick()
    {
        lock (_lock)
        {
            if (_closed)
            {
                return;
            }

            foreach (var run in _runs)
            {
                run.CloseInterval();
            }

            _told?.Invoke(_clock!.Elapsed.TotalSeconds);
        }
    }
}
