using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using FastListener.Load.Measuring;
using FastListener.Load.Scenarios;

namespace FastListener.Load.Sockets;

/// <summary>
/// All clients of a scenario on one thread over one epoll: the generator must leave as much of the machine as it can to the server. Requests are
/// built beforehand; in steady state nothing is allocated. Runs on the caller's thread.
/// </summary>
internal sealed unsafe class ConnectionLoop : IDisposable
{
    private const int EventCapacity = 256;
    private const int ConnectsPerTurn = 64;
    private static readonly double s_ticksPerSecond = Stopwatch.Frequency;

    private readonly Scenario _scenario;
    private readonly Action<long>? _tick;
    private readonly PopulationRun[] _populations;
    private readonly List<LoadConnection> _connections = [];
    private readonly Queue<LoadConnection> _ready = new();
    private readonly List<LoadConnection> _delayed = [];
    private readonly OpenSsl? _tls;
    private readonly byte[] _events = GC.AllocateArray<byte>(EventCapacity * 16, pinned: true);
    private readonly uint _address;
    private readonly long _timeoutTicks;
    private int _epoll = -1;
    private ulong _sequence;
    private long _start;
    private long _windowEnd;
    private long _lastAnswer;
    private int _opened;
    private int _sourceTurn;

    public ConnectionLoop(Scenario scenario, Action<long>? tick = null)
    {
        _scenario = scenario;
        _tick = tick;
        _populations = [.. scenario.Populations.Select((p, i) => new PopulationRun(p, 1000 + (ulong)i))];
        _address = BinaryPrimitives.ReadUInt32LittleEndian(scenario.Target.Address.GetAddressBytes());
        _tls = scenario.Target.Tls ? new OpenSsl() : null;
        _timeoutTicks = (long)(scenario.RequestTimeout.TotalSeconds * s_ticksPerSecond);
        _sequence = scenario.FirstSequence;
    }

    public IReadOnlyList<PopulationRun> Populations => _populations;

    /// <summary>Sequence number that the next request would carry.</summary>
    public ulong NextSequence => _sequence;

    /// <summary>From the start to the end of the window: the planned time, or, when every request was counted out, the last answer.</summary>
    public TimeSpan Window { get; private set; }

    /// <summary>Called once, when the window closes and the drain begins: the moment to read the CPU clocks.</summary>
    public Action? WindowClosed { get; set; }

    /// <exception cref="InvalidOperationException">The server answers nothing at all.</exception>
    public void Run(CancellationToken stop)
    {
        _epoll = Libc.EpollCreate();
        _start = Stopwatch.GetTimestamp();
        _lastAnswer = _start;
        _windowEnd = _start + (long)(_scenario.Duration.TotalSeconds * s_ticksPerSecond);
        foreach (var population in _populations)
        {
            population.Start(_start, s_ticksPerSecond);
        }

        var interval = Math.Clamp(_scenario.Duration.TotalSeconds / 60, 0.1, 5);
        var nextInterval = _start + (long)(interval * s_ticksPerSecond);
        var nextSweep = _start;
        var drainEnd = long.MaxValue;
        while (true)
        {
            var now = Stopwatch.GetTimestamp();
            if (drainEnd == long.MaxValue && (now >= _windowEnd || stop.IsCancellationRequested || AllServed()))
            {
                var end = AllServed() && now < _windowEnd ? _lastAnswer : now;
                Window = TimeSpan.FromSeconds((end - _start) / s_ticksPerSecond);
                WindowClosed?.Invoke();
                CloseIntervals(now);
                nextInterval = now + (long)(interval * s_ticksPerSecond);
                drainEnd = now + (long)(_scenario.Drain.TotalSeconds * s_ticksPerSecond);
                foreach (var population in _populations)
                {
                    population.Stop();
                }
            }

            var draining = drainEnd != long.MaxValue;
            if (draining && (now >= drainEnd || !AnyUnderWay()))
            {
                break;
            }

            if (now >= nextInterval)
            {
                CloseIntervals(now);
                nextInterval = now + (long)(interval * s_ticksPerSecond);
                _tick?.Invoke((long)((now - _start) / s_ticksPerSecond * 1000));
            }

            Issue(now);
            Pump();
            if (now >= nextSweep)
            {
                Sweep(now);
                nextSweep = now + (long)(0.02 * s_ticksPerSecond);
            }

            Wait(Math.Min(Math.Min(nextSweep, drainEnd), Math.Min(draining ? long.MaxValue : _windowEnd, NextDue())));
        }

        foreach (var connection in _connections)
        {
            if (connection.State is not (ConnectionState.Closed or ConnectionState.Idle or ConnectionState.Waiting))
            {
                connection.Owner.Recorder.Fail("unanswered at the end");
            }

            Close(connection, orderly: false);
        }

        foreach (var population in _populations)
        {
            while (population.Backlog.TryDequeue(out _))
            {
                population.Recorder.Fail("never sent");
            }
        }

        if (_populations.Any(p => p.Recorder.HasOpenInterval))
        {
            CloseIntervals(Stopwatch.GetTimestamp());
        }
    }

    public void Dispose()
    {
        if (_epoll >= 0)
        {
            _ = Libc.Close(_epoll);
        }

        _tls?.Dispose();
    }

    private long NextDue()
    {
        var next = long.MaxValue;
        foreach (var population in _populations)
        {
            next = Math.Min(next, population.NextDue);
        }

        return next;
    }

    private bool AllServed()
    {
        foreach (var population in _populations)
        {
            if (!population.IsOver || population.InFlight > 0 || population.Backlog.Count > 0)
            {
                return false;
            }
        }

        return true;
    }

    private bool AnyUnderWay()
    {
        foreach (var population in _populations)
        {
            if (population.InFlight > 0)
            {
                return true;
            }
        }

        return false;
    }

    private void CloseIntervals(long now)
    {
        foreach (var population in _populations)
        {
            population.Recorder.CloseInterval((now - _start) / s_ticksPerSecond, population.InFlight, population.Backlog.Count);
        }
    }

    /// <summary>Hands what is due to free connections; opens closed loops' connections, a few at a time.</summary>
    private void Issue(long now)
    {
        _opened = 0;
        foreach (var population in _populations)
        {
            if (population.IsOpenLoop)
            {
                while (population.NextDue <= now)
                {
                    var due = population.NextDue;
                    population.MoveClock(_start, s_ticksPerSecond);
                    population.Recorder.Offer();
                    if (population.Backlog.Count > 0 || !TryIssue(population, due))
                    {
                        if (population.Backlog.Count >= population.MaxBacklog)
                        {
                            population.Recorder.Fail("shed by the generator: backlog full");
                        }
                        else
                        {
                            population.Backlog.Enqueue(due);
                        }
                    }
                }

                while (population.Backlog.TryPeek(out var waiting) && TryIssue(population, waiting))
                {
                    population.Backlog.Dequeue();
                }
            }
            else
            {
                while (!population.IsOver && population.Connections.Count < population.Population.Workload.Connections && _opened < ConnectsPerTurn)
                {
                    IssueClosed(NewConnection(population));
                }
            }
        }
    }

    private bool TryIssue(PopulationRun population, long due)
    {
        if (!population.Idle.TryPop(out var connection))
        {
            if (population.Connections.Count >= population.Population.Workload.Connections || _opened >= ConnectsPerTurn)
            {
                return false;
            }

            connection = NewConnection(population);
        }

        Begin(connection, population.Population.Request, due);
        return true;
    }

    private void IssueClosed(LoadConnection connection)
    {
        if (connection.Owner.MayIssue(connection))
        {
            connection.Owner.Recorder.Offer();
            Begin(connection, connection.Owner.Population.Request, Stopwatch.GetTimestamp());
        }
        else
        {
            connection.State = connection.Descriptor >= 0 ? ConnectionState.Idle : ConnectionState.Closed;
        }
    }

    private LoadConnection NewConnection(PopulationRun population)
    {
        var connection = new LoadConnection(population, _connections.Count);
        _connections.Add(connection);
        population.Connections.Add(connection);
        return connection;
    }

    private void Begin(LoadConnection connection, RequestTemplate request, long due)
    {
        connection.Begin(request, _sequence++, due);
        connection.Owner.InFlight++;
        connection.Started = Stopwatch.GetTimestamp();
        if (connection.Descriptor >= 0)
        {
            connection.State = ConnectionState.Sending;
            Enqueue(connection);
            return;
        }

        Open(connection);
    }

    private void Open(LoadConnection connection)
    {
        _opened++;
        // A source address of its own every so often: 28,000 ports do not last long when every crash takes one.
        var source = connection.Owner.Population.OneConnectionEach ? 127u | (1u << 8) | ((uint)(1 + (_sourceTurn++ & 63)) << 24) : 0u;
        connection.Descriptor = Libc.Connect(_address, (ushort)_scenario.Target.Port, source, out var connected, out var failure);
        if (connection.Descriptor < 0)
        {
            Fail(connection, string.Create(CultureInfo.InvariantCulture, $"connect: errno {failure}"));
            return;
        }

        connection.State = connected ? Connected(connection) : ConnectionState.Connecting;
        _ = Libc.EpollAdd(_epoll, connection.Descriptor, Libc.EpollIn | Libc.EpollOut | Libc.EpollRdHup | Libc.EpollEdge, ((ulong)(uint)connection.Descriptor << 32) | (uint)connection.Index);
        if (connected)
        {
            Enqueue(connection);
        }
    }

    private ConnectionState Connected(LoadConnection connection)
    {
        if (_tls is null)
        {
            return ConnectionState.Sending;
        }

        connection.Ssl = _tls.Open(connection.Descriptor, connection.Owner.Population.ResumeTls);
        connection.Secured = false;
        return ConnectionState.Handshaking;
    }

    private void Enqueue(LoadConnection connection)
    {
        if (!connection.Queued)
        {
            connection.Queued = true;
            _ready.Enqueue(connection);
        }
    }

    private void Pump()
    {
        for (var turns = _ready.Count; turns > 0 && _ready.TryDequeue(out var connection); turns--)
        {
            connection.Queued = false;
            Progress(connection, readable: false);
        }
    }

    private void Wait(long until)
    {
        var micros = _ready.Count > 0 ? 0 : Math.Clamp((long)((until - Stopwatch.GetTimestamp()) / s_ticksPerSecond * 1e6), 0, 20_000);
        fixed (byte* events = _events)
        {
            var count = Libc.EpollWait(_epoll, events, EventCapacity, micros);
            for (var i = 0; i < count; i++)
            {
                var entry = events + (i * Libc.EpollEventSize);
                var flags = *(uint*)entry;
                var data = *(ulong*)(entry + Libc.EpollDataOffset);
                var connection = _connections[(int)(uint)data];
                if (connection.Descriptor == (int)(data >> 32))
                {
                    Progress(connection, (flags & (Libc.EpollIn | Libc.EpollHup | Libc.EpollErr | Libc.EpollRdHup)) != 0);
                }
            }
        }
    }

    private void Progress(LoadConnection connection, bool readable)
    {
        if (connection.State == ConnectionState.Connecting)
        {
            var error = Libc.SocketError(connection.Descriptor);
            if (error != 0)
            {
                Fail(connection, string.Create(CultureInfo.InvariantCulture, $"connect: errno {error}"));
                return;
            }

            connection.State = Connected(connection);
        }

        if (connection.State == ConnectionState.Handshaking && !Handshake(connection))
        {
            return;
        }

        if (connection.State == ConnectionState.Sending)
        {
            Send(connection);
        }

        if (readable || connection.Ssl != 0)
        {
            Receive(connection);
        }
    }

    private bool Handshake(LoadConnection connection)
    {
        if (OpenSsl.Handshake(connection.Ssl, out var error) == 1)
        {
            connection.Owner.Recorder.Handshakes++;
            connection.Owner.Recorder.Resumed += OpenSsl.WasResumed(connection.Ssl) ? 1 : 0;
            connection.State = ConnectionState.Sending;
            return true;
        }

        if (error is not (OpenSsl.WantRead or OpenSsl.WantWrite))
        {
            Fail(connection, $"TLS handshake: {OpenSsl.Explain()}");
        }

        return false;
    }

    private void Send(LoadConnection connection)
    {
        var pace = connection.Owner.Population.BytesPerSecond;
        if (pace > 0 && Stopwatch.GetTimestamp() < connection.NotBefore)
        {
            return;
        }

        var sent = connection.Send(pace > 0 ? Math.Max(1, pace / 10) : long.MaxValue);
        if (sent < 0)
        {
            // The server may have said why before it stopped listening.
            Receive(connection);
            if (connection.State == ConnectionState.Sending)
            {
                Fail(connection, "reset while sending");
            }
        }
        else if (connection.AllSent)
        {
            connection.State = ConnectionState.Receiving;
        }
        else if (pace > 0)
        {
            // By the clock, so that what the loop is late with now does not slow the phone down.
            connection.NotBefore = Math.Max(connection.NotBefore, connection.Started) + (long)(0.1 * s_ticksPerSecond);
            _delayed.Add(connection);
        }
        else if (sent > 0)
        {
            Enqueue(connection);
        }
    }

    private void Receive(LoadConnection connection)
    {
        while (connection.Descriptor >= 0)
        {
            var got = connection.Receive(out var drained);
            if (got == -1)
            {
                return;
            }

            if (got <= 0)
            {
                Ended(connection, got);
                return;
            }

            if (connection.State is not (ConnectionState.Sending or ConnectionState.Receiving))
            {
                connection.Owner.Recorder.Fail("bytes that nobody asked for");
                Close(connection, orderly: false);
                return;
            }

            bool whole;
            try
            {
                whole = connection.Reply.Take(got);
            }
            catch (InvalidDataException)
            {
                Fail(connection, "not an HTTP answer");
                return;
            }

            if (whole)
            {
                Answered(connection);
                return;
            }

            if (drained)
            {
                return;
            }
        }
    }

    private void Ended(LoadConnection connection, int result)
    {
        if (connection.State is ConnectionState.Idle or ConnectionState.Waiting or ConnectionState.Closed)
        {
            Close(connection, orderly: false);
            return;
        }

        Fail(connection, result == 0 ? "closed before the answer" : string.Create(CultureInfo.InvariantCulture, $"receive: errno {-result}"));
    }

    private void Answered(LoadConnection connection)
    {
        var now = Stopwatch.GetTimestamp();
        var owner = connection.Owner;
        var request = connection.Request!;
        var reply = connection.Reply;
        var good = request.Expected.AsSpan().Contains(reply.Status) && (request.Marker is null || reply.Body.IndexOf(request.Marker) >= 0);
        if (good)
        {
            owner.Recorder.Answer(connection.Sequence, reply.Status, request.Length, connection.Due, connection.Started, now, now > _windowEnd);
            _lastAnswer = now;
        }
        else
        {
            owner.Recorder.Fail(string.Create(CultureInfo.InvariantCulture, $"status {reply.Status}"));
        }

        owner.InFlight--;
        if (owner.Population.FollowUp is { } followUp && good && request != followUp && !reply.Closes && TakeObjectId(connection))
        {
            owner.Recorder.Offer();
            connection.State = ConnectionState.Idle;
            Begin(connection, followUp, now);
            return;
        }

        if (owner.Population.OneConnectionEach || reply.Closes || request.Closes || !connection.AllSent)
        {
            Close(connection, orderly: good);
        }
        else
        {
            connection.State = ConnectionState.Idle;
        }

        Next(connection);
    }

    /// <summary>A connection that is done with a request looks for the next.</summary>
    private void Next(LoadConnection connection)
    {
        var owner = connection.Owner;
        if (!owner.IsOpenLoop)
        {
            IssueClosed(connection);
        }
        else if (owner.Backlog.TryDequeue(out var due))
        {
            Begin(connection, owner.Population.Request, due);
        }
        else
        {
            owner.Idle.Push(connection);
        }
    }

    private static bool TakeObjectId(LoadConnection connection)
    {
        var body = connection.Reply.Body;
        var at = body.IndexOf("\"_rxid\":\""u8);
        if (at < 0 || body.Length < at + 9 + RequestTemplate.ObjectIdLength)
        {
            return false;
        }

        body.Slice(at + 9, RequestTemplate.ObjectIdLength).CopyTo(connection.ObjectId);
        return true;
    }

    private void Fail(LoadConnection connection, string reason)
    {
        connection.Owner.Recorder.Fail(reason);
        connection.Owner.InFlight--;
        Close(connection, orderly: false);
        connection.State = ConnectionState.Waiting;
        connection.NotBefore = Stopwatch.GetTimestamp() + (long)(0.01 * s_ticksPerSecond);
        _delayed.Add(connection);
    }

    private void Close(LoadConnection connection, bool orderly)
    {
        if (connection.Ssl != 0)
        {
            if (orderly)
            {
                _tls!.Keep(connection.Ssl);
            }

            OpenSsl.Close(connection.Ssl, orderly);
            connection.Ssl = 0;
        }

        if (connection.Descriptor >= 0)
        {
            _ = Libc.Close(connection.Descriptor);
            connection.Descriptor = -1;
        }

        connection.State = ConnectionState.Closed;
    }

    /// <summary>Fifty times a second: paced senders go on, failed connections come back, silent requests time out.</summary>
    private void Sweep(long now)
    {
        for (var i = _delayed.Count - 1; i >= 0; i--)
        {
            var connection = _delayed[i];
            if (now < connection.NotBefore)
            {
                continue;
            }

            _delayed.RemoveAt(i);
            if (connection.State == ConnectionState.Waiting)
            {
                connection.State = ConnectionState.Closed;
                Next(connection);
            }
            else if (connection.State == ConnectionState.Sending)
            {
                Enqueue(connection);
            }
        }

        foreach (var connection in _connections)
        {
            if (connection.State is ConnectionState.Connecting or ConnectionState.Handshaking or ConnectionState.Sending or ConnectionState.Receiving
                && now - connection.Started > _timeoutTicks)
            {
                Fail(connection, "timed out");
            }
        }

        if (now - _start > 5 * s_ticksPerSecond && _populations.All(p => p.Recorder.Answered == 0 && p.Recorder.Failed > 20))
        {
            throw new InvalidOperationException($"The server answers nothing: {string.Join(", ", _populations.SelectMany(p => p.Recorder.Errors.Keys).Distinct())}.");
        }
    }
}
