using System.IO.Pipelines;
using FastListener.Configuration;
using FastListener.Connections;
using FastListener.Intake;
using FastListener.Overload;
using FastListener.Protocol.Http;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace FastListener.Tests.Connections;

public sealed class BodyReaderTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _input = new(Inline());
    private readonly Pipe _output = new(Inline(pauseWriterThreshold: 1)); // a window that is full: a flush waits until the client reads
    private readonly OverloadControl _control;
    private readonly ConnectionClock _clock;
    private readonly Admission _admission;
    private readonly BodyReader _reader;
    private bool _aborted;

    public BodyReaderTests()
    {
        _control = new(new OverloadOptions(), new IntakeLimits(), [], _time);
        _clock = new(new DeadlineOptions(), _time, _input.Reader, Abort);
        _admission = new(_control, _clock) { Payer = new TokenTraffic() };
        _reader = new(_input.Reader, _clock, _admission, entry: null!, async () => await ResponseWriter.WriteContinueAsync(_output.Writer));
        _reader.Begin(new BodyFraming(FramingKind.Length, 10), expectsContinue: true);
    }

    public void Dispose()
    {
        _admission.Dispose();
        _clock.Dispose();
        _control.Dispose();
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

    private static PipeOptions Inline(long pauseWriterThreshold = -1) =>
        new(null, PipeScheduler.Inline, PipeScheduler.Inline, pauseWriterThreshold, resumeWriterThreshold: pauseWriterThreshold, useSynchronizationContext: false);

    /// <summary>What a transport does.</summary>
    private void Abort()
    {
        _aborted = true;
        _output.Reader.Complete();
        _input.Writer.Complete(new ConnectionAbortedException());
    }

    private void Pass(TimeSpan time)
    {
        _time.Advance(time);
        _clock.Tick();
    }
}
