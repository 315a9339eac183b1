using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using FastListener.Configuration;
using FastListener.Connections;
using FastListener.Intake;
using FastListener.Overload;
using FastListener.Protocol.Http;
using FastListener.Storage;
using FastListener.Tests.Tokens;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace FastListener.Tests.Connections;

public sealed class RequestBodyTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private readonly Pipe _pipe = new();
    private readonly OverloadControl _control;
    private readonly ConnectionClock _clock;
    private readonly Admission _admission;
    private readonly DataDirectory _data = new();
    private ObjectStore _store = null!;

    public RequestBodyTests()
    {
        _control = new(new OverloadOptions { ReadingTurns = 1 }, new IntakeLimits(), [], _time);
        _clock = new(new DeadlineOptions(), _time, _pipe.Reader, () => { });
        _admission = new(_control, _clock) { Payer = new TokenTraffic() };
    }

    public async ValueTask InitializeAsync() =>
        _store = await ObjectStore.OpenAsync(new StoreOptions { DataDirectory = _data.Path, DirectPacks = false }, NullLogger.Instance);

    public async ValueTask DisposeAsync()
    {
        _admission.Dispose();
        _clock.Dispose();
        _control.Dispose();
        await _store.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task Only_what_the_pipe_throws_is_taken_for_a_client_that_has_left()
    {
        var reader = new BodyReader(_pipe.Reader, _clock, _admission, _store.NewEntry(), () => default);
        using var body = new RequestBody(reader, new IntakeLimits());
        reader.Begin(new BodyFraming(FramingKind.Length, 100), expectsContinue: false);
        body.Begin(ContentCoding.Identity);
        await _pipe.Writer.WriteAsync(new byte[10], TestContext.Current.CancellationToken);
        Assert.Equal(BodyState.Data, (await body.ReadAsync()).State);
        Assert.False(body.ClientLost); // whatever is thrown now is ours

        await _pipe.Writer.CompleteAsync(new IOException("reset"));
        await Assert.ThrowsAsync<IOException>(async () => await body.ReadAsync());
        Assert.True(body.ClientLost);

        reader.Begin(new BodyFraming(FramingKind.Length, 100), expectsContinue: false);
        Assert.False(body.ClientLost);
    }

    [Fact]
    public async Task While_others_wait_for_a_turn_a_compressed_body_is_charged_what_it_inflates_to()
    {
        const int Decoded = 1024 * 1024;
        var packed = Gzip(new byte[Decoded]);
        var reader = new BodyReader(_pipe.Reader, _clock, _admission, _store.NewEntry(), () => default);
        using var body = new RequestBody(reader, new IntakeLimits());
        reader.Begin(new BodyFraming(FramingKind.Length, packed.Length), expectsContinue: false);
        body.Begin(ContentCoding.Gzip);
        await _pipe.Writer.WriteAsync(packed, TestContext.Current.CancellationToken);

        var first = (await body.ReadAsync()).Bytes.Length;
        Assert.Equal(0, _admission.Payer.Reading.Deficit); // nobody waits
        Assert.False(_control.Reading.TryEnter(new GatePlace(), new GateShare(), cost: 1));
        var rest = 0L;
        while (first + rest < Decoded)
        {
            var read = await body.ReadAsync();
            Assert.Equal(BodyState.Data, read.State);
            rest += read.Bytes.Length;
        }

        Assert.InRange(-_admission.Payer.Reading.Deficit, rest - packed.Length, rest);
        Assert.Equal(BodyState.End, (await body.ReadAsync()).State);
    }

    [Theory]
    [InlineData("padding")]
    [InlineData("empty members")]
    public async Task What_inflates_to_nothing_counts_against_both_limits_all_the_same(string what)
    {
        var first = Gzip("a report"u8);
        byte[] emptyMember = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        byte[] rest = what == "padding" ? new byte[40_000] : [.. Enumerable.Repeat(emptyMember, 2_000).SelectMany(member => member)];
        foreach (var (most, mostOnWire, expected) in new[]
        {
            (0, 10_000, RejectReason.WireTooLarge),
            (10_000, 0, RejectReason.BodyTooLarge),
        })
        {
            var pipe = new Pipe();
            var reader = new BodyReader(pipe.Reader, _clock, _admission, _store.NewEntry(), () => default);
            using var body = new RequestBody(reader, new IntakeLimits());
            reader.Begin(new BodyFraming(FramingKind.Length, first.Length + rest.Length), expectsContinue: false);
            body.Begin(ContentCoding.Gzip);
            (body.MaxBytes, body.MaxWireBytes) = (most, mostOnWire);
            await pipe.Writer.WriteAsync(first, TestContext.Current.CancellationToken);
            Assert.Equal("a report", Encoding.ASCII.GetString((await body.ReadAsync()).Bytes.Span));

            await pipe.Writer.WriteAsync(rest, TestContext.Current.CancellationToken);
            Assert.Equal(BodyRead.Refused(expected), await body.ReadAsync());
        }
    }

    private static byte[] Gzip(ReadOnlySpan<byte> bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return packed.ToArray();
    }
}
