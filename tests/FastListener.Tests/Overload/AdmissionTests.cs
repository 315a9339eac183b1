using System.IO.Pipelines;
using System.Net;
using FastListener.Configuration;
using FastListener.Connections;
using FastListener.Intake;
using FastListener.Overload;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace FastListener.Tests.Overload;

/// <summary>Waiting is ours, bounded, and comes before every refusal.</summary>
public sealed class AdmissionTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _pipe = new();
    private PressureLevel _level;
    private OverloadControl? _control;

    public void Dispose() => _control?.Dispose();

    [Fact]
    public async Task Under_pressure_an_upload_waits_and_goes_on_when_it_is_over()
    {
        var (admission, clock) = Connect(new OverloadOptions(), new IntakeLimits());
        clock.Enter(ConnectionPhase.Body);
        _level = PressureLevel.Hold;
        Pass(clock, 1);
        var turn = admission.TakeTurnAsync(1000);
        Pass(clock, 20);
        Assert.False(turn.IsCompleted);

        _level = PressureLevel.None;
        Pass(clock, 1);
        Assert.Equal(RejectReason.None, await turn);
        Assert.False(clock.Expired);
        Assert.Equal(1, _control!.Reading.Inside);
        admission.EndTurn();
        Assert.Equal(0, _control.Reading.Inside);
    }

    [Fact]
    public async Task Pressure_that_lasts_ends_in_a_refusal_and_not_before_the_longest_wait()
    {
        var (admission, clock) = Connect(new OverloadOptions(), new IntakeLimits());
        _level = PressureLevel.Hold;
        Pass(clock, 1);
        var turn = admission.TakeTurnAsync(1000);
        Pass(clock, 29);
        Assert.False(turn.IsCompleted);
        Pass(clock, 2);
        Assert.Equal(RejectReason.Overloaded, await turn);
        Assert.Equal((0, 0), (_control!.Reading.Inside, _control.Reading.Waiting));
    }

    [Fact]
    public async Task A_token_over_its_rate_is_told_that_it_is_its_own()
    {
        var (admission, clock) = Connect(new OverloadOptions(), new IntakeLimits());
        var traffic = new TokenTraffic();
        _control!.Apply(traffic, maxUploads: 0, bytesPerSecond: 1, burstBytes: 1);
        admission.Payer = traffic;
        Assert.Equal(RejectReason.None, await admission.TakeTurnAsync(100_000));
        admission.EndTurn();
        var turn = admission.TakeTurnAsync(1);
        Pass(clock, 31);
        Assert.Equal(RejectReason.TokenOverRate, await turn);
    }

    [Theory]
    [InlineData(true, "TooManyUploadsOfToken")]
    [InlineData(false, "TooManyUploads")]
    public async Task More_uploads_than_may_be_under_way_wait_for_one_to_end(bool ofToken, string reason)
    {
        var (first, _) = Connect(new OverloadOptions(), new IntakeLimits { MaxUploads = ofToken ? 0 : 1 });
        var traffic = new TokenTraffic();
        _control!.Apply(traffic, maxUploads: ofToken ? 1 : 0, bytesPerSecond: 0, burstBytes: 1);
        var (second, clock) = Connection();
        first.Payer = second.Payer = traffic;
        Assert.Equal(RejectReason.None, await first.EnterAsync());

        var waiting = second.EnterAsync();
        Pass(clock, 10);
        Assert.False(waiting.IsCompleted);
        first.End();
        Assert.Equal(RejectReason.None, await waiting);

        first.Payer = traffic;
        var refused = first.EnterAsync();
        Pass(_firstClock!, 31);
        Assert.Equal(reason, (await refused).ToString());
    }

    [Fact]
    public async Task Waits_before_the_body_come_together_out_of_one_longest_wait_for_each_request()
    {
        var (first, _) = Connect(new OverloadOptions(), new IntakeLimits { MaxConnections = 1, MaxUploads = 1 });
        Assert.Equal(RejectReason.None, await first.ConnectAsync());
        Assert.Equal(RejectReason.None, await first.EnterAsync());
        var (second, clock) = Connection();
        var connecting = second.ConnectAsync().AsTask();
        Pass(clock, 20);
        first.Dispose();
        Assert.Equal(RejectReason.None, await connecting);
        var (third, _) = Connection();
        Assert.Equal(RejectReason.None, await third.EnterAsync());

        var entering = second.EnterAsync().AsTask();
        Pass(clock, 9);
        Assert.False(entering.IsCompleted);
        Pass(clock, 2);
        Assert.Equal(RejectReason.TooManyUploads, await entering.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));

        second.End(); // the next request on the connection begins anew
        entering = second.EnterAsync().AsTask();
        Pass(clock, 29);
        Assert.False(entering.IsCompleted);
        third.End();
        Assert.Equal(RejectReason.None, await entering);
    }

    [Theory]
    [InlineData("connections")]
    [InlineData("uploads")]
    [InlineData("staging")]
    [InlineData("reading")]
    public async Task Whoever_still_waits_at_a_gate_when_a_stop_has_no_more_time_is_told_so(string gate)
    {
        var patient = new OverloadOptions { MaxWait = TimeSpan.FromHours(1) };
        var (first, _) = Connect(patient, new IntakeLimits { MaxConnections = 1, MaxUploads = 1 });
        Assert.Equal(RejectReason.None, await first.ConnectAsync());
        Assert.Equal(RejectReason.None, await first.EnterAsync());
        for (var inside = 0; inside < OverloadControl.StagingShares; inside++)
        {
            Assert.Equal(RejectReason.None, await Connection().Admission.StageAsync(null));
        }

        _level = PressureLevel.Hold;
        _time.Advance(TimeSpan.FromSeconds(1));
        var (admission, clock) = Connection();
        var waiting = gate switch
        {
            "connections" => admission.ConnectAsync(),
            "uploads" => admission.EnterAsync(),
            "staging" => admission.StageAsync(null),
            _ => admission.TakeTurnAsync(1000),
        };
        clock.Stop();
        Pass(clock, 27);
        Assert.False(waiting.IsCompleted);
        Pass(clock, 1);
        Assert.Equal(RejectReason.Stopping, await waiting.AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_token_that_comes_late_takes_its_upload_over()
    {
        var (admission, _) = Connect(new OverloadOptions(), new IntakeLimits());
        var traffic = new TokenTraffic();
        _control!.Apply(traffic, maxUploads: 1, bytesPerSecond: 0, burstBytes: 1);
        Assert.Equal(RejectReason.None, await admission.EnterAsync());
        Assert.Equal(RejectReason.None, await admission.TakeTurnAsync(10));
        Assert.Equal(RejectReason.None, await admission.ChangePayerAsync(traffic));
        Assert.Equal((1, 0), (_control.Uploads.Inside, _control.Reading.Inside));
        Assert.Equal(1, traffic.Uploads.Inside);
        admission.End();
        Assert.Equal((0, 0), (_control.Uploads.Inside, traffic.Uploads.Inside));
    }

    [Fact]
    public async Task Who_waits_to_stage_without_a_token_waits_behind_its_own_address_only()
    {
        var (first, clock) = Connect(new OverloadOptions(), new IntakeLimits());
        var (crowd, other) = (IPAddress.Parse("192.0.2.1"), IPAddress.Parse("192.0.2.2"));
        Assert.SkipWhen(_control!.Senders.Of(crowd) == _control.Senders.Of(other), "The two addresses fall into the same slot in this process.");
        var holders = Enumerable.Range(0, OverloadControl.StagingShares).Select(index => index == 0 ? first : Connection().Admission).ToList();
        foreach (var holder in holders)
        {
            Assert.Equal(RejectReason.None, await holder.StageAsync(crowd));
            Assert.Equal(RejectReason.None, await holder.StageAsync(crowd)); // once is enough
        }

        var queue = Enumerable.Range(0, 20).Select(_ => Connection().Admission.StageAsync(crowd).AsTask()).ToList();
        Assert.All(queue, waiting => Assert.False(waiting.IsCompleted));
        var alone = Connection().Admission.StageAsync(other).AsTask();
        Pass(clock, 10);
        Assert.False(alone.IsCompleted);
        holders[0].End();
        holders[1].End();
        Assert.Equal(RejectReason.None, await alone);
        Assert.Equal(19, _control.Staging.Waiting);

        // A token gives the share back.
        await holders[2].ChangePayerAsync(new TokenTraffic());
        Assert.Equal(18, _control.Staging.Waiting);
    }

    [Fact]
    public async Task Who_waits_to_stage_without_a_token_holds_no_turn_and_is_refused_only_after_the_longest_wait()
    {
        var (admission, clock) = Connect(new OverloadOptions(), new IntakeLimits());
        for (var index = 0; index < OverloadControl.StagingShares; index++)
        {
            await Connection().Admission.StageAsync(null);
        }

        Assert.Equal(RejectReason.None, await admission.TakeTurnAsync(1000));
        var staging = admission.StageAsync(null);
        Assert.Equal(0, _control!.Reading.Inside);
        Pass(clock, 29);
        Assert.False(staging.IsCompleted);
        Pass(clock, 2);
        Assert.Equal(RejectReason.TooManyWithoutToken, await staging);
        Assert.False(clock.Expired);
    }

    [Fact]
    public void An_idle_connection_gives_up_its_place_to_one_that_waits()
    {
        var (_, clock) = Connect(new OverloadOptions(), new IntakeLimits { MaxConnections = 1 });
        Assert.True(_control!.Connections.TryEnter(new GatePlace(), _control.AnyConnection, 1));
        clock.Enter(ConnectionPhase.Idle);
        var read = _pipe.Reader.ReadAsync();
        Pass(clock, 3);
        Assert.False(read.IsCompleted);

        Assert.False(_control.Connections.TryEnter(new GatePlace(), _control.AnyConnection, 1));
        Pass(clock, 1);
        Assert.True(read.IsCompleted);
        Assert.True(clock.Expired);
    }

    private ConnectionClock? _firstClock;

    private (Admission Admission, ConnectionClock Clock) Connect(OverloadOptions options, IntakeLimits limits)
    {
        _control = new(options, limits, [new("test", () => _level)], _time);
        var made = Connection();
        _firstClock = made.Clock;
        return made;
    }

    private (Admission Admission, ConnectionClock Clock) Connection()
    {
        var clock = new ConnectionClock(new DeadlineOptions(), _time, _pipe.Reader, () => { }, _control!.Connections);
        return (new Admission(_control, clock), clock);
    }

    private void Pass(ConnectionClock clock, int seconds)
    {
        for (var i = 0; i < seconds * 10; i++)
        {
            _time.Advance(Pressure.Interval);
            if (i % 10 == 9)
            {
                clock.Tick();
            }
        }
    }
}
