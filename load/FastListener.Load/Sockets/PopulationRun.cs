using FastListener.Load.Measuring;
using FastListener.Load.Scenarios;

namespace FastListener.Load.Sockets;

/// <summary>A population while it runs: its connections, its clock and what it has waiting.</summary>
internal sealed class PopulationRun
{
    private readonly ArrivalClock? _clock;
    private long _issued;

    public PopulationRun(Population population, ulong seed)
    {
        Population = population;
        _clock = population.Workload is OpenLoop open ? new ArrivalClock(open.Stages, seed) : null;
    }

    public Population Population { get; }

    public Recorder Recorder { get; } = new();

    public List<LoadConnection> Connections { get; } = [];

    public Stack<LoadConnection> Idle { get; } = new();

    /// <summary>Due times of requests for which no connection was free.</summary>
    public Queue<long> Backlog { get; } = new();

    public int InFlight { get; set; }

    /// <summary>The next due time of an open loop in clock ticks; long.MaxValue when there is none.</summary>
    public long NextDue { get; private set; } = long.MaxValue;

    public bool IsOpenLoop => _clock is not null;

    public int MaxBacklog => Population.Workload is OpenLoop open ? open.MaxBacklog : 0;

    /// <summary>Nothing more falls due.</summary>
    public bool IsOver { get; private set; }

    public void Start(long start, double ticksPerSecond) => MoveClock(start, ticksPerSecond);

    public void MoveClock(long start, double ticksPerSecond)
    {
        if (_clock is null)
        {
            return;
        }

        if (_clock.TryNext(out var seconds))
        {
            NextDue = start + (long)(seconds * ticksPerSecond);
        }
        else
        {
            Stop();
        }
    }

    /// <summary>A closed loop's connection asks whether it may send another.</summary>
    public bool MayIssue(LoadConnection connection)
    {
        if (IsOver || Population.Workload is not ClosedLoop closed || connection.Served >= closed.RequestsEach)
        {
            return false;
        }

        connection.Served++;
        _issued++;
        if (closed.RequestsEach != long.MaxValue && _issued >= closed.RequestsEach * closed.FixedConnections)
        {
            IsOver = true;
        }

        return true;
    }

    public void Stop()
    {
        IsOver = true;
        NextDue = long.MaxValue;
    }
}
