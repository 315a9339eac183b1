using System.Diagnostics;
using System.Globalization;

namespace FastListener.Load.Sockets;

internal enum ConnectionState
{
    Closed,
    Connecting,
    Handshaking,
    Sending,
    Receiving,

    /// <summary>Open, with nothing to do.</summary>
    Idle,

    /// <summary>Closed after a failure: it rests, so that a server that refuses everything is not hammered.</summary>
    Waiting,
}

/// <summary>Why a connection gave the turn back, and so when it wants the next.</summary>
internal enum Outcome
{
    /// <summary>It goes on with its socket's next event, or has nothing to do.</summary>
    Blocked,

    /// <summary>It could go on at once, but the others come first.</summary>
    Yielded,

    /// <summary>It has failed, or sends slowly: it may go on at <see cref="LoadConnection.NotBefore"/>.</summary>
    Delayed,

    /// <summary>Its request is answered: it is free for another.</summary>
    Finished,

    /// <summary>The same, and the request that follows on the same connection is due now.</summary>
    FollowUpDue,
}

/// <summary>
/// One client's side of HTTP: opens a connection, sends the request it is given, reads the answer, judges and counts it. It never waits; it
/// says how far it came, and the loop decides who is next.
/// </summary>
internal sealed class LoadConnection(PopulationRun owner, int index, Dialer dialer)
{
    private static readonly long s_pacePeriod = Stopwatch.Frequency / 10;
    private static readonly long s_restAfterFailure = Stopwatch.Frequency / 100;

    private readonly ClientSocket _socket = new(dialer, index);
    private readonly RequestWriter _writer = new();
    private readonly ReplyReader _reply = new();
    private readonly byte[] _objectId = new byte[RequestTemplate.ObjectIdLength];
    private RequestTemplate? _request;
    private ulong _sequence;
    private long _due;

    public PopulationRun Owner { get; } = owner;

    public ConnectionState State { get; private set; } = ConnectionState.Closed;

    public bool IsOpen => _socket.IsOpen;

    /// <summary>It has a request that is neither answered nor failed.</summary>
    public bool IsUnderWay => State is ConnectionState.Connecting or ConnectionState.Handshaking or ConnectionState.Sending or ConnectionState.Receiving;

    /// <summary>When its request was begun, in clock ticks.</summary>
    public long Started { get; private set; }

    /// <summary>When its request was answered, in clock ticks.</summary>
    public long AnsweredAt { get; private set; }

    /// <summary>When a delayed connection may go on, in clock ticks.</summary>
    public long NotBefore { get; private set; }

    /// <summary>The loop's: it stands in the queue for a turn.</summary>
    public bool Queued { get; set; }

    /// <summary>The population's: how many requests it was given.</summary>
    public long Served { get; set; }

    /// <summary>Takes a request; a connection must be opened first where there is none.</summary>
    /// <param name="due">When it was due, in clock ticks: latency counts from then.</param>
    public Outcome Begin(RequestTemplate request, ulong sequence, long due)
    {
        _request = request;
        _sequence = sequence;
        _due = due;
        _writer.Begin(request, sequence, _objectId);
        _reply.Reset();
        Owner.Begin();
        Started = Stopwatch.GetTimestamp();
        if (_socket.IsOpen)
        {
            State = ConnectionState.Sending;
            return Outcome.Yielded;
        }

        return Open();
    }

    /// <summary>An event came for the socket with this descriptor; it is stale when that one has been closed.</summary>
    public Outcome Notify(SocketEvent happened) => _socket.Is(happened.Socket) ? Proceed(happened.Readable) : Outcome.Blocked;

    /// <summary>Goes on until the socket would block, the request is over or others should have a turn.</summary>
    public Outcome Proceed(bool readable)
    {
        if (State == ConnectionState.Connecting)
        {
            var error = _socket.ConnectError;
            if (error != 0)
            {
                return Fail(string.Create(CultureInfo.InvariantCulture, $"connect: errno {error}"));
            }

            Connected();
        }

        if (State == ConnectionState.Handshaking)
        {
            if (!_socket.Handshake(out var failure))
            {
                return failure is null ? Outcome.Blocked : Fail($"TLS handshake: {failure}");
            }

            Owner.Recorder.Handshakes++;
            Owner.Recorder.Resumed += _socket.WasResumed ? 1 : 0;
            State = ConnectionState.Sending;
        }

        var outcome = Outcome.Blocked;
        if (State == ConnectionState.Sending)
        {
            outcome = Send();
            if (!IsUnderWay)
            {
                return outcome;
            }
        }

        if (readable || _socket.IsSecured)
        {
            var received = Receive();
            return received == Outcome.Blocked ? outcome : received;
        }

        return outcome;
    }

    /// <summary>Counts the request as failed and rests for a moment.</summary>
    public Outcome Fail(string reason)
    {
        Owner.Fail(reason);
        Close(orderly: false);
        State = ConnectionState.Waiting;
        NotBefore = Stopwatch.GetTimestamp() + s_restAfterFailure;
        return Outcome.Delayed;
    }

    /// <summary>The rest after a failure is over.</summary>
    public void Recover() => State = ConnectionState.Closed;

    public void Close(bool orderly)
    {
        _socket.Close(orderly);
        State = ConnectionState.Closed;
    }

    private Outcome Open()
    {
        if (!_socket.Open(Owner.Population.OneConnectionEach, out var connected, out var failure))
        {
            return Fail(string.Create(CultureInfo.InvariantCulture, $"connect: errno {failure}"));
        }

        if (!connected)
        {
            State = ConnectionState.Connecting;
            return Outcome.Blocked;
        }

        Connected();
        return Outcome.Yielded;
    }

    private void Connected() => State = _socket.StartTls(Owner.Population.ResumeTls) ? ConnectionState.Handshaking : ConnectionState.Sending;

    private Outcome Send()
    {
        var pace = Owner.Population.BytesPerSecond;
        if (pace > 0 && Stopwatch.GetTimestamp() < NotBefore)
        {
            return Outcome.Blocked;
        }

        var sent = _socket.Send(_writer, pace > 0 ? Math.Max(1, pace / 10) : long.MaxValue);
        if (sent < 0)
        {
            // The server may have said why before it stopped listening.
            var last = Receive();
            return State == ConnectionState.Sending ? Fail("reset while sending") : last;
        }

        if (_writer.AllSent)
        {
            State = ConnectionState.Receiving;
            return Outcome.Blocked;
        }

        if (pace > 0)
        {
            // By the clock, so that what the loop is late with now does not slow the phone down.
            NotBefore = Math.Max(NotBefore, Started) + s_pacePeriod;
            return Outcome.Delayed;
        }

        return sent > 0 ? Outcome.Yielded : Outcome.Blocked;
    }

    private Outcome Receive()
    {
        while (true)
        {
            var got = _socket.Receive(_reply.Free, out var drained);
            if (got == -1)
            {
                return Outcome.Blocked;
            }

            if (got <= 0)
            {
                return Ended(got);
            }

            if (!IsUnderWay)
            {
                Owner.Recorder.Fail("bytes that nobody asked for");
                Close(orderly: false);
                return Outcome.Blocked;
            }

            bool whole;
            try
            {
                whole = _reply.Take(got);
            }
            catch (InvalidDataException)
            {
                return Fail("not an HTTP answer");
            }

            if (whole)
            {
                return Answered();
            }

            if (drained)
            {
                return Outcome.Blocked;
            }
        }
    }

    private Outcome Ended(int result)
    {
        if (IsUnderWay)
        {
            return Fail(result == 0 ? "closed before the answer" : string.Create(CultureInfo.InvariantCulture, $"receive: errno {-result}"));
        }

        Close(orderly: false);
        return Outcome.Blocked;
    }

    private Outcome Answered()
    {
        AnsweredAt = Stopwatch.GetTimestamp();
        var population = Owner.Population;
        var request = _request!;
        var good = request.Expected.AsSpan().Contains(_reply.Status) && (request.Marker is null || _reply.Body.IndexOf(request.Marker) >= 0);
        if (good)
        {
            Owner.Answer(_sequence, _reply.Status, request.Length, _due, Started, AnsweredAt);
        }
        else
        {
            Owner.Fail(string.Create(CultureInfo.InvariantCulture, $"status {_reply.Status}"));
        }

        if (good && population.FollowUp is { } followUp && request != followUp && _reply.TryCopyObjectId(_objectId))
        {
            State = ConnectionState.Idle;
            return Outcome.FollowUpDue;
        }

        if (population.OneConnectionEach || _reply.Closes || request.Closes || !_writer.AllSent)
        {
            Close(orderly: good);
        }
        else
        {
            State = ConnectionState.Idle;
        }

        return Outcome.Finished;
    }
}
