using System.Diagnostics;
using FastListener.Load.Scenarios;

namespace FastListener.Load.Sockets;

/// <summary>
/// A scenario from its start to its end: what falls due, which connection takes it, when an interval, the window and the drain are over. One
/// thread for all clients, the caller's: the generator must leave as much of the machine as it can to the server. In steady state nothing is
/// allocated.
/// </summary>
internal sealed class ScenarioRun : IDisposable
{
    private const int ConnectsPerTurn = 64;
    private static readonly long s_sweepPeriod = Stopwatch.Frequency / 50;

    private readonly Scenario _scenario;
    private readonly Action<long>? _tick;
    private readonly PopulationRun[] _populations;
    private readonly ConnectionLoop _loop;
    private readonly long _intervalLength;
    private long _start;
    private long _windowEnd;
    private long _drainEnd = long.MaxValue;
    private long _nextInterval;
    private long _nextSweep;
    private int _opened;

    /// <param name="tick">Told the milliseconds since the start after each interval.</param>
    public ScenarioRun(Scenario scenario, Action<long>? tick = null)
    {
        _scenario = scenario;
        _tick = tick;
        _populations = [.. scenario.Populations.Select((p, i) => new PopulationRun(p, 1000 + (ulong)i))];
        _loop = new ConnectionLoop(scenario.Target, scenario.RequestTimeout, scenario.FirstSequence);
        _intervalLength = Ticks(Math.Clamp(scenario.Duration.TotalSeconds / 60, 0.1, 5));
    }

    public IReadOnlyList<PopulationRun> Populations => _populations;

    /// <summary>From the start to the end of the window: the planned time, or, when every request was counted out, the last answer.</summary>
    public TimeSpan Window { get; private set; }

    /// <summary>Called once, when the window closes and the drain begins: the moment to read the CPU clocks.</summary>
    public Action? WindowClosed { get; set; }

    private bool IsDraining => _drainEnd != long.MaxValue;

    private bool AllServed => Array.TrueForAll(_populations, p => p.IsServed);

    private bool AnyUnderWay => Array.Exists(_populations, p => p.InFlight > 0);

    /// <exception cref="InvalidOperationException">The server answers nothing at all.</exception>
    public void Run(CancellationToken stop)
    {
        Start();
        while (true)
        {
            var now = Stopwatch.GetTimestamp();
            if (!IsDraining && (now >= _windowEnd || stop.IsCancellationRequested || AllServed))
            {
                CloseWindow(now);
            }

            if (IsDraining && (now >= _drainEnd || !AnyUnderWay))
            {
                break;
            }

            if (now >= _nextInterval)
            {
                CloseInterval(now);
                _tick?.Invoke((long)(Seconds(now - _start) * 1000));
            }

            Issue(now);
            _loop.RunReady();
            if (now >= _nextSweep)
            {
                Sweep(now);
            }

            _loop.Wait(NextDeadline());
        }

        Abandon();
    }

    public void Dispose() => _loop.Dispose();

    private static long Ticks(double seconds) => (long)(seconds * Stopwatch.Frequency);

    private static double Seconds(long ticks) => ticks / (double)Stopwatch.Frequency;

    private void Start()
    {
        _start = Stopwatch.GetTimestamp();
        _windowEnd = _start + Ticks(_scenario.Duration.TotalSeconds);
        _nextInterval = _start + _intervalLength;
        _nextSweep = _start;
        foreach (var population in _populations)
        {
            population.Start(_start, _windowEnd);
        }
    }

    /// <summary>Nothing new falls due from here on; what is under way may still be answered.</summary>
    private void CloseWindow(long now)
    {
        var end = AllServed && now < _windowEnd ? _populations.Max(p => p.LastAnswer) : now;
        Window = TimeSpan.FromSeconds(Seconds(end - _start));
        WindowClosed?.Invoke();
        CloseInterval(now);
        _drainEnd = now + Ticks(_scenario.Drain.TotalSeconds);
        foreach (var population in _populations)
        {
            population.Stop();
        }
    }

    private void CloseInterval(long now)
    {
        foreach (var population in _populations)
        {
            population.Recorder.CloseInterval(Seconds(now - _start), population.InFlight, population.Backlog.Count);
        }

        _nextInterval = now + _intervalLength;
    }

    /// <summary>Hands what is due to free connections; opens closed loops' connections, a few at a time.</summary>
    private void Issue(long now)
    {
        _opened = 0;
        foreach (var population in _populations)
        {
            if (population.IsOpenLoop)
            {
                IssueDue(population, now);
            }
            else
            {
                while (!population.IsOver && MayAdd(population))
                {
                    _opened++;
                    _loop.Next(_loop.Add(population));
                }
            }
        }
    }

    private void IssueDue(PopulationRun population, long now)
    {
        while (population.NextDue <= now)
        {
            var due = population.NextDue;
            population.MoveClock();
            population.Recorder.Offer();
            if (population.Backlog.Count > 0 || !TryIssue(population, due))
            {
                population.Defer(due);
            }
        }

        while (population.Backlog.TryPeek(out var waiting) && TryIssue(population, waiting))
        {
            population.Backlog.Dequeue();
        }
    }

    private bool TryIssue(PopulationRun population, long due)
    {
        if (!population.Idle.TryPop(out var connection))
        {
            if (!MayAdd(population))
            {
                return false;
            }

            connection = _loop.Add(population);
        }

        _opened += connection.IsOpen ? 0 : 1;
        _loop.Begin(connection, population.Population.Request, due);
        return true;
    }

    private bool MayAdd(PopulationRun population) =>
        population.Connections < population.Population.Workload.Connections && _opened < ConnectsPerTurn;

    private void Sweep(long now)
    {
        _nextSweep = now + s_sweepPeriod;
        _loop.Sweep(now);
        if (Seconds(now - _start) > 5 && Array.TrueForAll(_populations, p => p.Recorder.Answered == 0 && p.Recorder.Failed > 20))
        {
            throw new InvalidOperationException($"The server answers nothing: {string.Join(", ", _populations.SelectMany(p => p.Recorder.Errors.Keys).Distinct())}.");
        }
    }

    /// <summary>When something is to be done even if no socket has news.</summary>
    private long NextDeadline()
    {
        var next = Math.Min(_nextSweep, IsDraining ? _drainEnd : _windowEnd);
        foreach (var population in _populations)
        {
            next = Math.Min(next, population.NextDue);
        }

        return next;
    }

    /// <summary>The drain is over: what is not answered by now has failed.</summary>
    private void Abandon()
    {
        _loop.Abandon();
        foreach (var population in _populations)
        {
            population.Abandon();
        }

        if (Array.Exists(_populations, p => p.Recorder.HasOpenInterval))
        {
            CloseInterval(Stopwatch.GetTimestamp());
        }
    }
}
