using System.Diagnostics;
using FastListener.Load.Measuring;
using FastListener.Load.Scenarios;

namespace FastListener.Load.Sockets;

/// <summary>A population while it runs: its connections, its clock, what it has waiting and under way, and what came of it.</summary>
internal sealed class PopulationRun
{
    private readonly ArrivalClock? _clock;
    private long _issued;
    private long _start;
    private long _windowEnd;

    public PopulationRun(Population population, ulong seed)
    {
        Population = population;
        _clock = population.Workload is OpenLoop open ? new ArrivalClock(open.Stages, seed) : null;
    }

    public Population Population { get; }

    public Recorder Recorder { get; } = new();

    /// <summary>How many connections there are, open or not.</summary>
    public int Connections { get; set; }

    public Stack<LoadConnection> Idle { get; } = new();

    /// <summary>Due times of requests for which no connection was free.</summary>
    public Queue<long> Backlog { get; } = new();

    /// <summary>Requests begun that are neither answered nor failed.</summary>
    public int InFlight { get; private set; }

    /// <summary>When the last answer hoped for came, in clock ticks; the start when none did.</summary>
    public long LastAnswer { get; private set; }

    /// <summary>The next due time of an open loop in clock ticks; long.MaxValue when there is none.</summary>
    public long NextDue { get; private set; } = long.MaxValue;

    public bool IsOpenLoop => _clock is not null;

    private int MaxBacklog => Population.Workload is OpenLoop open ? open.MaxBacklog : 0;

    /// <summary>Nothing more falls due.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Nothing is left to send or to wait for.</summary>
    public bool IsServed => IsOver && InFlight == 0 && Backlog.Count == 0;

    /// <summary>Both in clock ticks.</summary>
    public void Start(long start, long windowEnd)
    {
        _start = start;
        _windowEnd = windowEnd;
        LastAnswer = start;
        MoveClock();
    }

    /// <summary>The due time has been dealt with: on to the next.</summary>
    public void MoveClock()
    {
        if (_clock is null)
        {
            return;
        }

        if (_clock.TryNext(out var seconds))
        {
            NextDue = _start + (long)(seconds * Stopwatch.Frequency);
        }
        else
        {
            Stop();
        }
    }

    /// <summary>A free connection asks for its next request; when there is none, one of an open loop joins the idle ones.</summary>
    public bool TryTake(LoadConnection connection, out long due)
    {
        if (_clock is null)
        {
            due = Stopwatch.GetTimestamp();
            return TryOffer(connection);
        }

        if (Backlog.TryDequeue(out due))
        {
            return true;
        }

        Idle.Push(connection);
        return false;
    }

    /// <summary>No connection is free for a request that is due.</summary>
    public void Defer(long due)
    {
        if (Backlog.Count >= MaxBacklog)
        {
            Recorder.Fail("shed by the generator: backlog full");
        }
        else
        {
            Backlog.Enqueue(due);
        }
    }

    public void Begin() => InFlight++;

    /// <summary>An answer as hoped. Times in clock ticks.</summary>
    public void Answer(ulong sequence, int status, long bytes, long due, long sent, long done)
    {
        InFlight--;
        LastAnswer = done;
        Recorder.Answer(sequence, status, bytes, due, sent, done, done > _windowEnd);
    }

    /// <summary>A request under way has failed.</summary>
    public void Fail(string reason)
    {
        InFlight--;
        Recorder.Fail(reason);
    }

    /// <summary>From now on nothing falls due.</summary>
    public void Stop()
    {
        IsOver = true;
        NextDue = long.MaxValue;
    }

    /// <summary>Nothing more will be sent: what still waits has failed.</summary>
    public void Abandon()
    {
        while (Backlog.TryDequeue(out _))
        {
            Recorder.Fail("never sent");
        }
    }

    /// <summary>A closed loop offers a request when a connection is free for it, unless all are counted out.</summary>
    private bool TryOffer(LoadConnection connection)
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

        Recorder.Offer();
        return true;
    }
}
