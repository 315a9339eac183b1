using System.IO.Pipelines;
using FastListener.Configuration;
using FastListener.Overload;

namespace FastListener.Connections;

/// <summary>What a connection is doing, as far as its deadlines are concerned.</summary>
internal enum ConnectionPhase
{
    /// <summary>Waiting for the first byte of a request.</summary>
    Idle,

    /// <summary>Reading a request head.</summary>
    Head,

    /// <summary>Reading a body; only time spent waiting for the client counts.</summary>
    Body,

    /// <summary>The request is in our own hands: no deadline of the client's runs.</summary>
    Ours,

    /// <summary>Sending a reply, an interim one too.</summary>
    Reply,

    /// <summary>Dropping what a refused client still sends.</summary>
    Drain,
}

/// <summary>
/// The deadlines of one connection. They hang on Kestrel's connection heartbeat (about once a second) rather than
/// on a timer per read: arming is two writes, and a tick that finds one passed cancels the pending read. Kestrel ends the heartbeat
/// before it lets its connections drain, so from the stop on a timer of the connection's own ticks.
/// </summary>
/// <remarks>Written by the connection's own flow, read by the thread that ticks.</remarks>
internal sealed class ConnectionClock(DeadlineOptions options, TimeProvider time, PipeReader input, Action abort, FairGate? newcomers = null) : IDisposable
{
    /// <summary>At a stop: how long what a client has sent may need to arrive.</summary>
    public static readonly TimeSpan OnItsWay = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan HurriedIdle = TimeSpan.FromSeconds(1);

    /// <summary>At a stop: how long before all connections are cut off an upload that has not ended is told so; half of the time where that is less.</summary>
    private static readonly TimeSpan Goodbye = TimeSpan.FromSeconds(2);

    /// <summary>How far ahead of the least rate a client can get: a burst carries it through a few tunnels, and not for days.</summary>
    private static readonly TimeSpan MostAhead = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Timers count in whole milliseconds of a clock that is coarser than time stamps, so that the first beat can come a little early:
    /// it ends the grace all the same, and not the second one.
    /// </summary>
    private static readonly TimeSpan Early = TimeSpan.FromMilliseconds(20);

    private readonly long _grace = Ticks(options.BodyGrace, time);
    private readonly long _stopGrace = Ticks(options.Shutdown - Earlier(Goodbye, options.Shutdown / 2) - Early, time);
    private readonly Lock _beating = new();
    private ITimer? _beat; // made by the stop, under the lock, like the end
    private bool _ended;
    private int _phase;
    private long _due = long.MaxValue;
    private long _waitedBefore;
    private long _waitingSince;
    private long _bodyBytes;
    private long _idleSince;
    private int _entered; // counts phases, so that what passes in one is not held against the next
    private int _expiredIn = -1;
    private int _overWholeIn = -1;
    private int _overTokenIn = -1;
    private bool _aborted;
    private int _overStopIn = -1;
    private bool _stopping;
    private long _stoppedAt;
    private FairGate? _staging;
    private FairGate? _heldAt;
    private GatePlace? _held;

    /// <summary>What the connection is doing now.</summary>
    public ConnectionPhase Phase => (ConnectionPhase)Volatile.Read(ref _phase);

    /// <summary>Whether the deadline of the present phase has passed.</summary>
    public bool Expired => Volatile.Read(ref _expiredIn) == Volatile.Read(ref _entered);

    /// <summary>Whether the server is stopping: no further request is taken on this connection.</summary>
    public bool Stopping => Volatile.Read(ref _stopping);

    /// <summary>Whether what has passed is the deadline of the whole request, and not that of its body's pace.</summary>
    public bool WholeExpired => Volatile.Read(ref _overWholeIn) == Volatile.Read(ref _entered);

    /// <summary>Whether what has passed is the deadline of the token that a form is to bring.</summary>
    public bool TokenExpired => Volatile.Read(ref _overTokenIn) == Volatile.Read(ref _entered);

    /// <summary>Whether the clock has aborted the connection, because its client took no reply.</summary>
    public bool HasAborted => Volatile.Read(ref _aborted);

    /// <summary>Whether what has passed is the time that uploads have at a stop: what is still missing of the body is not waited for.</summary>
    public bool StopExpired => Volatile.Read(ref _overStopIn) == Volatile.Read(ref _entered);

    /// <summary>Whether uploads have had their time at a stop: from now on nothing is waited for that is not there.</summary>
    public bool StopIsOver => IsStopOver(time.GetTimestamp());

    /// <summary>Whether the connection waits at a gate of ours.</summary>
    public bool IsHeld => Volatile.Read(ref _held) is not null;

    /// <summary>How long all waits for a body may take together; zero is unlimited. Set for each request before its body is read.</summary>
    public TimeSpan Whole { get; set; }

    /// <summary>The gate that a form holds a place at until it shows its token: while others wait there, it has a deadline for that. Otherwise null.</summary>
    public FairGate? Staging
    {
        set => Volatile.Write(ref _staging, value);
    }

    /// <summary>Enters a phase and arms its deadline.</summary>
    public void Enter(ConnectionPhase phase)
    {
        Volatile.Write(ref _due, long.MaxValue);
        _waitingSince = 0;
        Volatile.Write(ref _phase, (int)phase);
        Volatile.Write(ref _entered, _entered + 1); // last: whoever reads the new number first sees nothing of the former phase
        switch (phase)
        {
            case ConnectionPhase.Idle:
                Volatile.Write(ref _idleSince, time.GetTimestamp());
                Arm(options.Idle);
                break;
            case ConnectionPhase.Head: Arm(options.Head); break;
            case ConnectionPhase.Reply: Arm(options.Reply); break;
            case ConnectionPhase.Drain: Arm(options.Drain); break;
            case ConnectionPhase.Body:
                _waitedBefore = 0;
                _bodyBytes = 0;
                break;
            default: break;
        }
    }

    /// <summary>The flow is about to wait for bytes of the body.</summary>
    public void BeginWait()
    {
        var now = time.GetTimestamp();
        _bodyBytes = Math.Min(_bodyBytes, (long)(options.MinBodyBytesPerSecond * (Seconds(_waitedBefore) + MostAhead.TotalSeconds)));
        _waitingSince = now;
        Volatile.Write(ref _due, now + Ticks(options.BodyStall, time));
    }

    /// <summary>The wait is over; <paramref name="bytes"/> new bytes of the body have arrived.</summary>
    public void EndWait(long bytes)
    {
        Volatile.Write(ref _due, long.MaxValue);
        _waitedBefore += time.GetTimestamp() - _waitingSince;
        _waitingSince = 0;
        _bodyBytes += bytes;
    }

    /// <summary>Bytes of the body were there without any waiting.</summary>
    public void CountBody(long bytes) => _bodyBytes += bytes;

    /// <summary>The flow is about to wait at a gate of ours: until it ends, no deadline of the client's runs.</summary>
    /// <param name="gate">The gate.</param>
    /// <param name="place">The place that waits there.</param>
    /// <param name="patience">When to end the wait without a turn.</param>
    public void BeginHold(FairGate gate, GatePlace place, TimeSpan patience)
    {
        Volatile.Write(ref _due, time.GetTimestamp() + Ticks(patience, time));
        _heldAt = gate;
        Volatile.Write(ref _held, place);
    }

    /// <summary>The wait at a gate is over.</summary>
    public void EndHold()
    {
        Volatile.Write(ref _due, long.MaxValue);
        Volatile.Write(ref _held, null);
    }

    /// <summary>
    /// The server is stopping: a busy connection ends after its request, an idle one in a moment: what a client has just sent is still on its way, and
    /// is answered with a goodbye.
    /// </summary>
    public void Stop()
    {
        Volatile.Write(ref _stoppedAt, time.GetTimestamp());
        Volatile.Write(ref _stopping, true);
        lock (_beating)
        {
            if (!_ended)
            {
                _beat ??= time.CreateTimer(static state => ((ConnectionClock)state!).OnBeat(), this, Beat, Beat);
            }
        }
    }

    /// <summary>The connection is over: when this returns, no timer touches anything of it any more.</summary>
    public void Dispose()
    {
        lock (_beating)
        {
            _ended = true;
            _beat?.Dispose();
        }
    }

    /// <summary>Called about once a second: by the heartbeat, and after <see cref="Stop"/> by a timer.</summary>
    public void Tick()
    {
        var entered = Volatile.Read(ref _entered);
        var phase = (ConnectionPhase)Volatile.Read(ref _phase);
        var now = time.GetTimestamp();
        if (Volatile.Read(ref _held) is { } held)
        {
            if (now >= Volatile.Read(ref _due) || IsStopOver(now))
            {
                _heldAt!.Expire(held);
            }

            return;
        }

        if (Stopping && phase is ConnectionPhase.Idle)
        {
            if (now - Volatile.Read(ref _stoppedAt) >= Ticks(OnItsWay - Early, time))
            {
                Volatile.Write(ref _expiredIn, entered);
                input.CancelPendingRead();
            }

            return;
        }

        if (now < Volatile.Read(ref _due)
            && !(phase is ConnectionPhase.Body && (TooSlow(now) || TooLong(now, entered) || LacksToken(now, entered) || IsTooLate(now, entered)))
            && !(phase is ConnectionPhase.Idle && Hurried(now)))
        {
            return;
        }

        Volatile.Write(ref _expiredIn, entered);
        if (phase is ConnectionPhase.Reply)
        {
            Volatile.Write(ref _aborted, true);
            abort(); // a client that does not take its reply gets nothing further
        }
        else
        {
            input.CancelPendingRead();
        }
    }

    private void OnBeat()
    {
        lock (_beating)
        {
            if (!_ended)
            {
                Tick();
            }
        }
    }

    private bool TooSlow(long now)
    {
        var since = Volatile.Read(ref _waitingSince);
        if (since == 0)
        {
            return false;
        }

        var waited = _waitedBefore + (now - since);
        return waited > _grace
            && _bodyBytes < options.MinBodyBytesPerSecond * Seconds(waited);
    }

    private bool TooLong(long now, int entered)
    {
        var since = Volatile.Read(ref _waitingSince);
        if (since == 0 || Whole == TimeSpan.Zero || _waitedBefore + (now - since) <= Ticks(Whole, time))
        {
            return false;
        }

        Volatile.Write(ref _overWholeIn, entered);
        return true;
    }

    private bool LacksToken(long now, int entered)
    {
        var since = Volatile.Read(ref _waitingSince);
        if (since == 0 || Volatile.Read(ref _staging) is not { Waiting: > 0 } || _waitedBefore + (now - since) <= Ticks(options.Token, time))
        {
            return false;
        }

        Volatile.Write(ref _overTokenIn, entered);
        return true;
    }

    private bool IsTooLate(long now, int entered)
    {
        if (!IsStopOver(now))
        {
            return false;
        }

        Volatile.Write(ref _overStopIn, entered);
        return true;
    }

    private bool IsStopOver(long now) => Stopping && now - Volatile.Read(ref _stoppedAt) >= _stopGrace;

    /// <summary>While newcomers wait for a connection to end, one that has nothing to say gives up its place.</summary>
    private bool Hurried(long now) =>
        newcomers is { Waiting: > 0 } && now - Volatile.Read(ref _idleSince) >= Ticks(HurriedIdle, time);

    private void Arm(TimeSpan within) => Volatile.Write(ref _due, time.GetTimestamp() + Ticks(within, time));

    private double Seconds(long ticks) => ticks / (double)time.TimestampFrequency;

    private static TimeSpan Earlier(TimeSpan first, TimeSpan second) => first < second ? first : second;

    private static long Ticks(TimeSpan span, TimeProvider time) => (long)(span.TotalSeconds * time.TimestampFrequency);
}
