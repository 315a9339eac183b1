using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using FastListener.Hosting.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

#pragma warning disable xUnit1069 // a timeout only ends a test that hangs, and a test that hangs has failed

namespace FastListener.Transport;

/// <summary>Accepting goes on whatever happens, and a stop leaves nobody standing in the queue.</summary>
public sealed class ListenerTests : IDisposable
{
    private const int Hang = 60_000;

    private static readonly TransportOptions s_options = new()
    {
        AcceptPause = TimeSpan.FromTicks(1), MaxAcceptPause = TimeSpan.FromMilliseconds(1), HandshakeGrace = TimeSpan.Zero,
    };

    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(10);

    private readonly PooledBlockFactory _memory = new(s_options, TimeProvider.System);
    private readonly List<Socket> _clients = [];

    public void Dispose()
    {
        _clients.ForEach(client => client.Dispose());
        _memory.Dispose();
    }

    [Theory(Timeout = Hang)]
    [InlineData(SocketError.TooManyOpenSockets)]
    [InlineData(SocketError.NoBufferSpaceAvailable)]
    [InlineData(SocketError.ConnectionAborted)]
    [InlineData(SocketError.ConnectionReset)]
    [InlineData(SocketError.AccessDenied)]
    [InlineData(SocketError.SocketError)]
    public async Task An_error_of_accept_does_not_end_accepting(SocketError error)
    {
        var failures = 0;
        await using var listener = new SocketListener(Listen(), false, Context(), (socket, cancellationToken) =>
            failures++ < 5 ? throw new SocketException((int)error) : socket.AcceptAsync(cancellationToken));
        Connect(listener);
        await using var connection = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        Assert.NotNull(connection);
        Assert.Equal(6, failures);
    }

    [Fact(Timeout = Hang)]
    public async Task A_shortage_is_logged_as_a_warning_and_a_lost_client_is_not()
    {
        var logger = new Levels();
        var errors = new Queue<SocketError>([SocketError.ConnectionAborted, SocketError.TooManyOpenSockets]);
        await using var listener = new SocketListener(Listen(), false, Context(logger), (socket, cancellationToken) =>
            errors.TryDequeue(out var error) ? throw new SocketException((int)error) : socket.AcceptAsync(cancellationToken));
        Connect(listener);
        await using var connection = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        Assert.Equal([LogLevel.Debug, LogLevel.Warning], logger.Seen);
    }

    [Fact(Timeout = Hang)]
    public async Task Unbinding_during_a_shortage_ends_at_once()
    {
        var failed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var context = Context() with { Options = s_options with { AcceptPause = TimeSpan.FromDays(1), MaxAcceptPause = TimeSpan.FromDays(1) } };
        await using var listener = new SocketListener(Listen(), false, context, (_, _) =>
        {
            failed.TrySetResult();
            throw new SocketException((int)SocketError.TooManyOpenSockets);
        });
        var accepting = listener.AcceptAsync(TestContext.Current.CancellationToken);
        await failed.Task;
        await listener.UnbindAsync(TestContext.Current.CancellationToken);
        Assert.Null(await accepting);
    }

    [Fact(Timeout = Hang)]
    public async Task Between_finding_the_queue_empty_and_closing_nothing_is_thrown_or_said()
    {
        // Either takes milliseconds when it is done for the first time, and who connects in them is reset.
        var listening = Listen();
        var closedWhenSaid = new List<bool>();
        await using var listener = new SocketListener(listening, false, Context(new Watcher(() => closedWhenSaid.Add(listening.SafeHandle.IsClosed))));
        await listener.UnbindAsync(TestContext.Current.CancellationToken);
        var thrown = new List<Exception>();
        var thread = Environment.CurrentManagedThreadId;
        EventHandler<FirstChanceExceptionEventArgs> watch = (_, fault) =>
        {
            if (Environment.CurrentManagedThreadId == thread)
            {
                thrown.Add(fault.Exception);
            }
        };
        AppDomain.CurrentDomain.FirstChanceException += watch;
        try
        {
            var accepting = listener.AcceptAsync(TestContext.Current.CancellationToken);
            Assert.True(accepting.IsCompletedSuccessfully);
            Assert.Null(await accepting);
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= watch;
        }

        Assert.Empty(thrown);
        Assert.True(Assert.Single(closedWhenSaid));
    }

    [Fact(Timeout = Hang)]
    public async Task Unbinding_ends_an_accept_that_waits_and_closes_the_port()
    {
        await using var listener = new SocketListener(Listen(), false, Context());
        var accepting = listener.AcceptAsync(TestContext.Current.CancellationToken);
        Assert.False(accepting.IsCompleted);
        await listener.UnbindAsync(TestContext.Current.CancellationToken);
        Assert.Null(await accepting);
        Assert.Equal(SocketError.ConnectionRefused, Assert.Throws<SocketException>(() => Connect(listener)).SocketErrorCode);
        Assert.Null(await listener.AcceptAsync(TestContext.Current.CancellationToken));
    }

    [Theory(Timeout = Hang)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Clients_in_the_queue_are_served_after_unbinding(bool acceptedBefore)
    {
        await using var listener = new SocketListener(Listen(), false, Context());
        if (acceptedBefore)
        {
            var accepting = listener.AcceptAsync(TestContext.Current.CancellationToken); // leaves the listening socket watched
            Connect(listener);
            await (await accepting)!.DisposeAsync();
        }

        for (var i = 0; i < 20; i++)
        {
            Connect(listener).Send([(byte)i]);
        }

        await listener.UnbindAsync(TestContext.Current.CancellationToken);
        for (var i = 0; i < 20; i++)
        {
            await using var connection = await listener.AcceptAsync(TestContext.Current.CancellationToken);
            var read = await connection!.Transport.Input.ReadAsync(TestContext.Current.CancellationToken);
            Assert.Equal((byte)i, read.Buffer.FirstSpan[0]);
        }

        Assert.Null(await listener.AcceptAsync(TestContext.Current.CancellationToken));
        Assert.Throws<SocketException>(() => Connect(listener));
    }

    [Fact(Timeout = Hang)]
    public async Task Whoever_greets_while_a_stop_takes_the_last_connections_gets_no_answer_instead_of_a_reset()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Greetings are dropped on Linux only.");
        var time = new FakeTimeProvider();
        await using var listener = new SocketListener(Listen(), false, Stopping(time));
        Connect(listener);
        await listener.UnbindAsync(TestContext.Current.CancellationToken);
        using var newcomer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var connecting = newcomer.ConnectAsync(listener.EndPoint, TestContext.Current.CancellationToken).AsTask();
        await using var queued = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        Assert.NotNull(queued);

        var accepting = listener.AcceptAsync(TestContext.Current.CancellationToken);
        Assert.False(accepting.IsCompleted); // a handshake could still be under way
        time.Advance(s_grace);
        Assert.Null(await accepting);
        var refusal = await Assert.ThrowsAsync<SocketException>(() => connecting); // at its second greeting, before it could send anything
        Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
    }

    [Fact(Timeout = Hang)]
    public async Task A_handshake_that_had_begun_before_the_stop_ends_well()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Greetings are dropped on Linux only.");
        var time = new FakeTimeProvider();
        var listening = Listen();
        listening.SetRawSocketOption(optionLevel: 6, optionName: 9, BitConverter.GetBytes(60)); // TCP_DEFER_ACCEPT: the last step waits for the first byte
        await using var listener = new SocketListener(listening, false, Stopping(time));
        var client = Connect(listener);
        await listener.UnbindAsync(TestContext.Current.CancellationToken);
        var accepting = listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask();
        Assert.False(accepting.IsCompleted);
        await client.SendAsync(new byte[] { 42 });
        for (var passed = TimeSpan.Zero; !accepting.IsCompleted && passed < s_grace / 2; passed += s_grace / 100)
        {
            time.Advance(s_grace / 100);
            await Task.WhenAny(accepting, Task.Delay(50, TestContext.Current.CancellationToken)); // looked at on another thread
        }

        await using var connection = await accepting;
        Assert.Equal(42, (await connection!.Transport.Input.ReadAsync(TestContext.Current.CancellationToken)).Buffer.FirstSpan[0]);
    }

    [Fact(Timeout = Hang)]
    public async Task The_queue_of_a_shared_descriptor_is_left_to_whoever_listens_next()
    {
        using var inherited = Listen();
        var first = await OwnFactory().BindAsync(new FileHandleEndPoint((ulong)inherited.Handle, FileHandleType.Auto), TestContext.Current.CancellationToken);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(inherited.LocalEndPoint!, TestContext.Current.CancellationToken);
        await client.SendAsync(new byte[] { 42 });
        await first.UnbindAsync(TestContext.Current.CancellationToken);
        Assert.Null(await first.AcceptAsync(TestContext.Current.CancellationToken));
        await first.DisposeAsync();

        await using var second = await OwnFactory().BindAsync(new FileHandleEndPoint((ulong)inherited.Handle, FileHandleType.Auto), TestContext.Current.CancellationToken);
        await using var connection = await second.AcceptAsync(TestContext.Current.CancellationToken);
        Assert.Equal(42, (await connection!.Transport.Input.ReadAsync(TestContext.Current.CancellationToken)).Buffer.FirstSpan[0]);
    }

    [Fact(Timeout = Hang)]
    public async Task The_token_of_an_accept_cancels_that_accept_only()
    {
        await using var listener = new SocketListener(Listen(), false, Context());
        using var soon = new CancellationTokenSource();
        var accepting = listener.AcceptAsync(soon.Token).AsTask();
        await soon.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accepting);
        Connect(listener);
        Assert.NotNull(await listener.AcceptAsync(TestContext.Current.CancellationToken));
    }

    [Fact(Timeout = Hang)]
    public async Task With_deferred_accepting_a_client_that_speaks_is_taken_before_one_that_is_silent()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The option exists on Linux only.");
        var factory = new OwnTransportFactory(
            s_options with { DeferAcceptSeconds = 60 }, _memory, new ConnectionPlaces(0), TimeProvider.System, NullLoggerFactory.Instance);
        await using var listener = await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0), TestContext.Current.CancellationToken);
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var speaking = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await silent.ConnectAsync(listener.EndPoint, TestContext.Current.CancellationToken);
        await speaking.ConnectAsync(listener.EndPoint, TestContext.Current.CancellationToken);
        await speaking.SendAsync(new byte[] { 42 });
        await using var connection = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        Assert.Equal(speaking.LocalEndPoint, connection!.RemoteEndPoint);
        Assert.True(connection.Transport.Input.TryRead(out var read));
        Assert.Equal(42, read.Buffer.FirstSpan[0]);
    }

    [Fact]
    public void Our_factory_is_asked_before_Kestrels_and_only_when_switched_on()
    {
        Assert.IsType<OwnTransportFactory>(Factories(TransportKind.Own)[^1]);
        Assert.DoesNotContain(Factories(TransportKind.Kestrel), factory => factory is OwnTransportFactory);
    }

    [Fact]
    public void Settings_that_cannot_work_are_refused_all_at_once()
    {
        Assert.Empty(new TransportOptions().Faults());
        var bad = new TransportOptions
        {
            Transport = (TransportKind)9, BlockSize = 1000, RetainedBytes = -1, MaxUnconsumedBytes = 1, MaxConnections = -1, Backlog = 0, DeferAcceptSeconds = -1, HandshakeGrace = TimeSpan.FromTicks(-1), CloseTimeout = TimeSpan.Zero,
        };
        Assert.Equal(9, bad.Faults().Count());
        var refusal = Assert.Throws<ArgumentException>(() => new ServiceCollection().AddFastListenerTransport(bad));
        Assert.All(bad.Faults(), fault => Assert.Contains(fault, refusal.Message, StringComparison.Ordinal));
    }

    private static IConnectionListenerFactory[] Factories(TransportKind kind)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConnectionListenerFactory, Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets.SocketTransportFactory>();
        services.AddFastListenerTransport(new TransportOptions { Transport = kind });
        using var provider = services.BuildServiceProvider();
        Assert.IsType<PooledBlockFactory>(provider.GetRequiredService<IMemoryPoolFactory<byte>>());
        return [.. provider.GetServices<IConnectionListenerFactory>()];
    }

    private static Socket Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(100);
        return socket;
    }

    private OwnTransportFactory OwnFactory() => new(s_options, _memory, new ConnectionPlaces(0), TimeProvider.System, NullLoggerFactory.Instance);

    private ListenerContext Context(ILogger? logger = null, ConnectionPlaces? places = null) =>
        new(s_options, _memory.Blocks, _memory.Create(), places ?? new ConnectionPlaces(0), TimeProvider.System, logger ?? NullLogger.Instance);

    private ListenerContext Stopping(TimeProvider time) => Context() with { Options = s_options with { HandshakeGrace = s_grace }, Clock = time };

    private Socket Connect(SocketListener listener)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _clients.Add(client);
        client.Connect(listener.EndPoint);
        return client;
    }

    private sealed class Levels : ILogger
    {
        public List<LogLevel> Seen { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Seen.Add(logLevel);
    }

    private sealed class Watcher(Action said) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => said();
    }
}
