using System.IO.Pipelines;
using System.Text;
using FastListener.Configuration;
using FastListener.Connections;
using FastListener.Diagnostics;
using FastListener.Intake;
using FastListener.Overload;
using FastListener.Storage;
using FastListener.Tokens;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace FastListener.Tests.Connections;

/// <summary>A defect of the listener's own, met while a request is taken in.</summary>
public sealed class InternalFaultTests : IAsyncLifetime
{
    private const string Secret = "5ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4";
    private readonly string _folder = Directory.CreateTempSubdirectory("fl-fault-").FullName;
    private readonly RecordedLog _log = new();
    private readonly RequestFigures _figures = new(Refusal.Words);
    private ObjectStore _store = null!;

    public async ValueTask InitializeAsync() =>
        _store = await ObjectStore.OpenAsync(new StoreOptions { DataDirectory = _folder, ReserveBytes = 0 }, NullLogger.Instance);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(typeof(InvalidOperationException))]
    [InlineData(typeof(IOException))] // these are faults of the network, when the connection throws them
    [InlineData(typeof(OperationCanceledException))]
    [InlineData(typeof(ObjectDisposedException))]
    public async Task It_is_answered_in_a_sentence_that_holds_nothing_of_the_exception(Type type)
    {
        var settings = new ListenerSettings
        {
            DataDirectory = _folder,
            Listen = new(),
            Limits = new(),
            Deadlines = new(),
            Overload = new(),
            Storage = new(),
        };
        await using var tokens = TokenRefresher.Start(_folder, NullLogger.Instance, TimeProvider.System);
        using var overload = new OverloadControl(settings.Overload, settings.Limits, [], TimeProvider.System);
        using var intakes = new IntakePool(new IntakeServices(
            _store, tokens, settings.Limits, TimeSpan.Zero, new UnauthenticatedBudget(0), new TokenGuesses(TimeProvider.System), overload, _figures,
            new BrokenClock(() => (Exception)Activator.CreateInstance(type, $"No such token: {Secret}")!), _log));
        var (input, output) = (new Pipe(), new Pipe());
        var connection = new DefaultConnectionContext("c1") { Transport = new Duplex(input.Reader, output.Writer) };
        var services = new ListenerServices(settings, intakes, overload, _figures, TimeProvider.System, _log);
        using (var served = new ListenerConnection(connection, services))
        {
            await input.Writer.WriteAsync(
                Encoding.ASCII.GetBytes($"POST /post?format=minidump&token={Secret} HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nMDMP"), TestContext.Current.CancellationToken);
            await input.Writer.CompleteAsync();
            await served.RunAsync();
        }

        await output.Writer.CompleteAsync();
        var reply = Encoding.Latin1.GetString((await output.Reader.ReadAtLeastAsync(int.MaxValue, TestContext.Current.CancellationToken)).Buffer);
        Assert.StartsWith("HTTP/1.1 500 ", reply, StringComparison.Ordinal);
        Assert.Contains("\r\nFastListener-Reason: internal_fault\r\n", reply, StringComparison.Ordinal);
        Assert.Contains("\r\nConnection: close\r\n", reply, StringComparison.Ordinal);
        Assert.EndsWith(
            "\r\n\r\n{\"error\":{\"code\":164,\"message\":\"The listener failed to handle the request; nothing of it was kept.\"}}", reply, StringComparison.Ordinal);
        foreach (var word in new[] { Secret, "No such token", type.Name, "   at ", nameof(BrokenClock) })
        {
            Assert.DoesNotContain(word, reply, StringComparison.Ordinal);
        }

        Assert.Contains(_log.Entries, entry => entry is { Id: 102, Level: LogLevel.Error }); // the operator is told
        Assert.Equal(1, _figures.Refused.Single(pair => pair.Key == "internal_fault").Value);
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>The clock that an intake reads first.</summary>
    private sealed class BrokenClock(Func<Exception> fault) : TimeProvider
    {
        public override long GetTimestamp() => throw fault();
    }
}
