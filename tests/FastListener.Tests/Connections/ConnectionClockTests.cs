using System.IO.Pipelines;
using FastListener.Configuration;
using FastListener.Connections;
using FastListener.Overload;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace FastListener.Tests.Connections;

public sealed class ConnectionClockTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _pipe = new();
    private readonly ConnectionClock _clock;
    private bool _aborted;

    public ConnectionClockTests()
    {
        _clock = new(new DeadlineOptions(), _time, _pipe.Reader, () => _aborted = true);
    }

    public void Dispose() => _clock.Dispose();

    [Fact]
    public async Task A_head_that_does_not_end_in_time_cancels_the_read()
    {
        _clock.Enter(ConnectionPhase.Head);
        var read = _pipe.Reader.ReadAsync();
        _time.Advance(TimeSpan.FromSeconds(29));
        _clock.Tick();
        Assert.False(read.IsCompleted);

        _time.Advance(TimeSpan.FromSeconds(2));
        _clock.Tick();

        Assert.True((await read).IsCanceled);
        Assert.True(_clock.Expired);
    }

    [Fact]
    public async Task A_body_that_stalls_is_given_up()
    {
        _clock.Enter(ConnectionPhase.Body);
        _clock.BeginWait();
        var read = _pipe.Reader.ReadAsync();
        _time.Advance(TimeSpan.FromSeconds(121));
        _clock.Tick();

        Assert.True((await read).IsCanceled);
    }

    [Fact]
    public void A_phone_at_two_kilobytes_a_second_is_waited_for()
    {
        _clock.Enter(ConnectionPhase.Body);
        for (var second = 0; second < 600; second++)
        {
            _clock.BeginWait();
            _time.Advance(TimeSpan.FromSeconds(1));
            _clock.Tick();
            _clock.EndWait(2048);
        }

        Assert.False(_clock.Expired);
    }

    [Fact]
    public void One_byte_a_second_is_ended_after_the_grace_and_not_before()
    {
        _clock.Enter(ConnectionPhase.Body);
        var ended = 0;
        for (var second = 1; second < 300 && ended == 0; second++)
        {
            _clock.BeginWait();
            _time.Advance(TimeSpan.FromSeconds(1));
            _clock.Tick();
            ended = _clock.Expired ? second : 0;
            _clock.EndWait(1);
        }

        Assert.InRange(ended, 60, 62);
    }

    [Fact]
    public void A_burst_carries_who_falls_almost_silent_for_ten_minutes_and_no_longer()
    {
        _clock.Enter(ConnectionPhase.Body);
        _clock.CountBody(1024 * 1024 * 1024); // at the least rate: 50 days
        var ended = 0;
        for (var second = 100; second < 3600 && ended == 0; second += 100)
        {
            _clock.BeginWait();
            _time.Advance(TimeSpan.FromSeconds(100)); // shorter than a stall
            _clock.Tick();
            ended = _clock.Expired ? second : 0;
            _clock.EndWait(1);
        }

        Assert.Equal(700, ended);
    }

    [Fact]
    public void A_form_that_stages_without_a_token_has_a_deadline_for_it_only_while_others_wait_to_do_so()
    {
        using var gate = new FairGate(1, quantum: 1, _time);
        Assert.True(gate.TryEnter(new GatePlace(), new GateShare(), 1));
        _clock.Enter(ConnectionPhase.Body);
        _clock.Staging = gate;
        Wait(600);
        Assert.False(_clock.Expired);

        var waiting = new GatePlace();
        Assert.False(gate.TryEnter(waiting, new GateShare(), 1));
        Wait(1);
        Assert.True(_clock.Expired);
        Assert.True(_clock.TokenExpired);

        _clock.Enter(ConnectionPhase.Body);
        Wait(59);
        Assert.False(_clock.Expired);
        Wait(2);
        Assert.True(_clock.TokenExpired);

        _clock.Staging = null; // it has shown its token
        _clock.Enter(ConnectionPhase.Body);
        Wait(600);
        Assert.False(_clock.Expired);

        void Wait(int seconds)
        {
            for (var second = 0; second < seconds; second++)
            {
                _clock.BeginWait();
                _time.Advance(TimeSpan.FromSeconds(1));
                _clock.Tick();
                _clock.EndWait(2048);
            }
        }
    }

    [Fact]
    public void Time_that_the_disk_takes_is_never_held_against_the_client()
    {
        _clock.Enter(ConnectionPhase.Body);
        _clock.BeginWait();
        _clock.EndWait(10);
        _time.Advance(TimeSpan.FromHours(1));
        _clock.Tick();

        Assert.False(_clock.Expired);
    }

    [Fact]
    public void Bytes_that_were_there_without_waiting_count_for_the_clients_pace()
    {
        _clock.Enter(ConnectionPhase.Body);
        _clock.CountBody(64 * 1024); // came with the head
        _clock.BeginWait();
        _time.Advance(TimeSpan.FromSeconds(61));
        _clock.Tick();

        Assert.False(_clock.Expired);
    }

    [Fact]
    public void A_whole_request_has_a_deadline_only_when_it_is_given_one()
    {
        foreach (var (whole, expires) in new[] { (TimeSpan.Zero, false), (TimeSpan.FromMinutes(5), true) })
        {
            _clock.Whole = whole;
            _clock.Enter(ConnectionPhase.Body);
            for (var second = 0; second < 600 && !_clock.Expired; second++)
            {
                _clock.BeginWait();
                _time.Advance(TimeSpan.FromSeconds(1));
                _clock.Tick();
                _clock.EndWait(100_000);
            }

            Assert.Equal((expires, expires), (_clock.Expired, _clock.WholeExpired));
        }
    }

    [Fact]
    public void A_client_that_does_not_take_its_reply_is_aborted()
    {
        _clock.Enter(ConnectionPhase.Reply);
        _time.Advance(TimeSpan.FromSeconds(31));
        _clock.Tick();

        Assert.True(_aborted);
    }

    [Fact]
    public async Task Stopping_wakes_an_idle_connection_in_a_moment_and_leaves_a_busy_one_alone()
    {
        _clock.Enter(ConnectionPhase.Body);
        _clock.BeginWait();
        var busy = _pipe.Reader.ReadAsync();
        _clock.Stop();
        _clock.Tick();
        Assert.False(busy.IsCompleted);

        await _pipe.Writer.WriteAsync(new byte[] { 1 });
        var result = await busy;
        _pipe.Reader.AdvanceTo(result.Buffer.End);
        _clock.EndWait(1);
        _clock.Enter(ConnectionPhase.Idle);
        var idle = _pipe.Reader.ReadAsync();
        _clock.Stop();
        _clock.Tick();
        Assert.False(idle.IsCompleted); // a request may be on its way

        _time.Advance(TimeSpan.FromSeconds(1));
        _clock.Tick();
        Assert.True((await idle).IsCanceled);
        Assert.True(_clock.Expired);
    }

    [Fact]
    public async Task After_a_stop_the_deadlines_pass_though_the_heartbeat_has_ended()
    {
        _clock.Enter(ConnectionPhase.Head);
        var head = _pipe.Reader.ReadAsync();
        _clock.Stop();
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(head.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.True((await head).IsCanceled);
        Assert.True(_clock.Expired);

        _clock.Enter(ConnectionPhase.Idle);
        var idle = _pipe.Reader.ReadAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True((await idle).IsCanceled);
    }

    [Fact]
    public async Task A_body_that_a_stop_has_no_more_time_for_is_given_up_before_the_connection_is_cut_off()
    {
        _clock.Enter(ConnectionPhase.Body);
        _clock.BeginWait();
        var body = _pipe.Reader.ReadAsync();
        _clock.Stop();
        _time.Advance(TimeSpan.FromSeconds(27));
        Assert.False(body.IsCompleted);
        Assert.False(_clock.StopExpired);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True((await body).IsCanceled);
        Assert.True(_clock.Expired && _clock.StopExpired);
        _clock.Enter(ConnectionPhase.Reply);
        Assert.False(_clock.StopExpired);
    }

    [Fact]
    public void A_connection_that_is_over_is_left_alone_by_the_timer_of_the_stop()
    {
        _clock.Enter(ConnectionPhase.Reply);
        _clock.Stop();
        _clock.Dispose();
        _clock.Stop();
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.False(_aborted);
    }

    [Fact]
    public async Task The_first_beat_after_a_stop_ends_the_grace_though_timers_may_be_a_little_early()
    {
        _clock.Enter(ConnectionPhase.Idle);
        var idle = _pipe.Reader.ReadAsync();
        _clock.Stop();
        _time.Advance(TimeSpan.FromMilliseconds(995));
        _clock.Tick();
        Assert.True(idle.IsCompleted);
        Assert.True((await idle).IsCanceled);
    }

    [Fact]
    public void A_tick_that_is_late_never_holds_the_end_of_one_phase_against_the_next()
    {
        var time = new InterruptedTime();
        using var clock = new ConnectionClock(new DeadlineOptions(), time, _pipe.Reader, () => _aborted = true);
        clock.Enter(ConnectionPhase.Idle);
        clock.Stop();
        time.Advance(TimeSpan.FromMilliseconds(990)); // not yet the beat
        time.Interruption = () => clock.Enter(ConnectionPhase.Body); // the request arrives while the tick looks at the clock
        clock.Tick();
        Assert.Null(time.Interruption);
        Assert.False(clock.Expired);
    }

    /// <summary>A clock on which, once, something else happens while it is read.</summary>
    private sealed class InterruptedTime : FakeTimeProvider
    {
        public Action? Interruption { get; set; }

        public override long GetTimestamp()
        {
            var now = base.GetTimestamp();
            var interruption = Interruption;
            Interruption = null;
            interruption?.Invoke();
            return now;
        }
    }
}
