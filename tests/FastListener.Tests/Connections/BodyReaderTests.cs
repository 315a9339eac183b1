using System.IO.Pipelines;
using FastListener.Configuration;
using FastListener.Connections;
using FastListener.Intake;
using FastListener.Overload;
using FastListener.Protocol.Http;
using FastListener.Storage;
using FastListener.Tests.Tokens;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace FastListener.Tests.Connections;

public sealed class BodyReaderTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _input = new(Inline());
    private readonly Pipe _output = new(Inline(pauseWriterThreshold: 1)); // a window that is full: a flush waits until the client reads
    private readonly OverloadControl _control;
    private readonly ConnectionClock _clock;
    private readonly Admission _admission;
    private readonly DataDirectory _data = new();
    private ObjectStore _store = null!;
    private BodyReader _reader = null!;
    private bool _aborted;

    public BodyReaderTests()
    {
        _control = new(new OverloadOptions(), new IntakeLimits(), [], _time);
        _clock = new(new DeadlineOptions(), _time, _input.Reader, Abort);
        _admission = new(_control, _clock) { Payer = new TokenTraffic() };
    }

    public async ValueTask InitializeAsync()
    {
        _store = await ObjectStore.OpenAsync(new StoreOptions { DataDirectory = _data.Path, DirectPacks = false }, NullLogger.Instance);
        _reader = new(_input.Reader, _clock, _admission, _store.NewEntry(), async () => await ResponseWriter.WriteContinueAsync(_output.Writer));
        _reader.Begin(new BodyFraming(FramingKind.Length, 10), expectsContinue: true);
    }

    public async ValueTask DisposeAsync()
    {
        _admission.Dispose();
        _clock.Dispose();
        _control.Dispose();
        await _store.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task A_client_that_does_not_take_100_Continue_is_aborted_like_one_that_does_not_take_its_reply()
    {
        var read = _reader.ReadAsync().AsTask();
        Pass(TimeSpan.FromSeconds(29));
        Assert.False(_aborted);

        Pass(TimeSpan.FromSeconds(2));
        Assert.True(_aborted);
        Assert.True(read.IsCompleted);
        await Assert.ThrowsAsync<ConnectionAbortedException>(() => read);
    }

    [Fact]
    public async Task Once_100_Continue_is_taken_the_deadlines_of_a_body_hold()
    {
        var read = _reader.ReadAsync().AsTask();
        Assert.True(_output.Reader.TryRead(out var taken));
        _output.Reader.AdvanceTo(taken.Buffer.End);
        Pass(TimeSpan.FromSeconds(59)); // longer than a reply may take
        Assert.False(read.IsCompleted);

        Pass(TimeSpan.FromSeconds(2));
        Assert.True(read.IsCompleted);
        Assert.Equal(BodyRead.Refused(RejectReason.BodyTimeout), await read);
        Assert.False(_aborted);
    }

    [Fact]
    public void A_read_that_the_deadline_of_the_former_phase_cancels_late_does_not_swallow_100_Continue()
    {
        _input.Reader.CancelPendingRead();
        _ = _reader.ReadAsync().AsTask();
        Assert.True(_output.Reader.TryRead(out _));
    }

    [Fact]
    public async Task When_a_stop_has_no_more_time_what_has_arrived_is_taken_all_the_same()
    {
        _reader.Begin(new BodyFraming(FramingKind.Length, 10), expectsContinue: false);
        await _input.Writer.WriteAsync(new byte[4], TestContext.Current.CancellationToken);
        Assert.Equal(4, (await _reader.ReadAsync()).Bytes.Length);
        await _input.Writer.WriteAsync(new byte[6], TestContext.Current.CancellationToken);
        StopAndWait(); // while what came first is being written

        Assert.Equal(6, (await _reader.ReadAsync()).Bytes.Length);
        Assert.Equal(BodyRead.End, await _reader.ReadAsync());
    }

    [Fact]
    public async Task When_a_stop_has_no_more_time_nothing_is_waited_for_and_nobody_sends_for_ever()
    {
        _reader.Begin(new BodyFraming(FramingKind.Length, 10), expectsContinue: false);
        await _input.Writer.WriteAsync(new byte[4], TestContext.Current.CancellationToken);
        Assert.Equal(4, (await _reader.ReadAsync()).Bytes.Length);
        StopAndWait();
        var refused = _reader.ReadAsync();
        Assert.True(refused.IsCompleted);
        Assert.Equal(BodyRead.Refused(RejectReason.Stopping), await refused);

        _reader.Release();
        _clock.Enter(ConnectionPhase.Ours);
        _reader.Begin(new BodyFraming(FramingKind.Length, long.MaxValue), expectsContinue: false);
        await _input.Writer.WriteAsync(new byte[100], TestContext.Current.CancellationToken);
        Assert.Equal(100, (await _reader.ReadAsync()).Bytes.Length);
        StopAndWait();
        var (sent, taken) = (0L, 0L);
        BodyRead read;
        do
        {
            if (taken == sent)
            {
                await _input.Writer.WriteAsync(new byte[30_000], TestContext.Current.CancellationToken);
                sent += 30_000;
            }

            read = await _reader.ReadAsync();
            taken += read.Bytes.Length;
        }
        while (read.State is BodyState.Data && taken < 100_000_000);
        Assert.Equal(BodyRead.Refused(RejectReason.Stopping), read);
        Assert.InRange(taken, 30_000, 2 * 1024 * 1024);
    }

    private static PipeOptions Inline(long pauseWriterThreshold = -1) =>
        new(null, PipeScheduler.Inline, PipeScheduler.Inline, pauseWriterThreshold, resumeWriterThreshold: pauseWriterThreshold, useSynchronizationContext: false);

    /// <summary>What a transport does.</summary>
    private void Abort()
    {
        _aborted = true;
        _output.Reader.Complete();
        _input.Writer.Complete(new ConnectionAbortedException());
    }

    private void StopAndWait()
    {
        _clock.Stop();
        Pass(TimeSpan.FromSeconds(28));
        Assert.True(_clock.StopExpired);
    }

    private void Pass(TimeSpan time)
    {
        _time.Advance(time);
        _clock.Tick();
    }
}
