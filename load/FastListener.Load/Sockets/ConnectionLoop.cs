using System.Diagnostics;

namespace FastListener.Load.Sockets;

/// <summary>Gives all connections of a run their turns, over one epoll: when their socket has news, when they yielded, when a delay is over.</summary>
internal sealed class ConnectionLoop : IDisposable
{
    private const long LongestWaitMicroseconds = 20_000;

    private readonly List<LoadConnection> _connections = [];
    private readonly Queue<LoadConnection> _ready = new();
    private readonly List<LoadConnection> _delayed = [];
    private readonly Epoll _epoll = new();
    private readonly Dialer _dialer;
    private readonly long _timeout;
    private ulong _sequence;

    /// <param name="timeout">A request unanswered for so long has failed.</param>
    /// <param name="firstSequence">The number that the first request carries.</param>
    public ConnectionLoop(LoopbackTarget target, TimeSpan timeout, ulong firstSequence)
    {
        _dialer = new Dialer(target, _epoll);
        _timeout = (long)(timeout.TotalSeconds * Stopwatch.Frequency);
        _sequence = firstSequence;
    }

    public LoadConnection Add(PopulationRun population)
    {
        var connection = new LoadConnection(population, _connections.Count, _dialer);
        _connections.Add(connection);
        population.Connections++;
        return connection;
    }

    /// <param name="due">When the request was due, in clock ticks.</param>
    public void Begin(LoadConnection connection, RequestTemplate request, long due) =>
        Settle(connection, connection.Begin(request, _sequence++, due));

    /// <summary>A connection that is free takes its population's next request, if there is one.</summary>
    public void Next(LoadConnection connection)
    {
        if (connection.Owner.TryTake(connection, out var due))
        {
            Begin(connection, connection.Owner.Population.Request, due);
        }
    }

    /// <summary>A turn for each that yielded; who yields again comes in the next round.</summary>
    public void RunReady()
    {
        for (var turns = _ready.Count; turns > 0 && _ready.TryDequeue(out var connection); turns--)
        {
            connection.Queued = false;
            Settle(connection, connection.Proceed(readable: false));
        }
    }

    /// <summary>Waits for events, up to a moment in clock ticks and not while anyone could go on, and gives a turn to each connection that has one.</summary>
    public void Wait(long until)
    {
        var micros = _ready.Count > 0 ? 0 : Math.Clamp((long)((until - Stopwatch.GetTimestamp()) / (double)Stopwatch.Frequency * 1e6), 0, LongestWaitMicroseconds);
        var count = _epoll.Wait(micros);
        for (var i = 0; i < count; i++)
        {
            var happened = _epoll[i];
            var connection = _connections[happened.Index];
            Settle(connection, connection.Notify(happened));
        }
    }

    /// <summary>To be called every few milliseconds: paced senders go on, failed connections come back, silent requests time out.</summary>
    public void Sweep(long now)
    {
        for (var i = _delayed.Count - 1; i >= 0; i--)
        {
            var connection = _delayed[i];
            if (now >= connection.NotBefore)
            {
                _delayed.RemoveAt(i);
                Resume(connection);
            }
        }

        foreach (var connection in _connections)
        {
            if (connection.IsUnderWay && now - connection.Started > _timeout)
            {
                Settle(connection, connection.Fail("timed out"));
            }
        }
    }

    /// <summary>Closes everything; what is under way has failed.</summary>
    public void Abandon()
    {
        foreach (var connection in _connections)
        {
            if (connection.IsUnderWay)
            {
                connection.Owner.Recorder.Fail("unanswered at the end");
            }

            connection.Close(orderly: false);
        }
    }

    public void Dispose()
    {
        _epoll.Dispose();
        _dialer.Dispose();
    }

    /// <summary>A connection gave its turn back: what becomes of it?</summary>
    private void Settle(LoadConnection connection, Outcome outcome)
    {
        switch (outcome)
        {
            case Outcome.Blocked:
                break;
            case Outcome.Yielded:
                Enqueue(connection);
                break;
            case Outcome.Delayed:
                _delayed.Add(connection);
                break;
            case Outcome.Finished:
                Next(connection);
                break;
            case Outcome.FollowUpDue:
                connection.Owner.Recorder.Offer();
                Begin(connection, connection.Owner.Population.FollowUp!, connection.AnsweredAt);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private void Enqueue(LoadConnection connection)
    {
        if (!connection.Queued)
        {
            connection.Queued = true;
            _ready.Enqueue(connection);
        }
    }

    /// <summary>A delay is over, unless the request that was being sent slowly is over, too.</summary>
    private void Resume(LoadConnection connection)
    {
        if (connection.State == ConnectionState.Waiting)
        {
            connection.Recover();
            Next(connection);
        }
        else if (connection.State == ConnectionState.Sending)
        {
            Enqueue(connection);
        }
    }
}
