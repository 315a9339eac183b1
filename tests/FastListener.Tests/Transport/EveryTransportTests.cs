using System.IO.Pipelines;
using System.Net.Sockets;
using System.Security.Cryptography;
using FastListener.Hosting.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Xunit;

#pragma warning disable xUnit1069 // a timeout only ends a test that hangs, and a test that hangs has failed

namespace FastListener.Transport;

/// <summary>What a connection handler may rely on, whichever transport serves it. Every test runs over both.</summary>
public class EveryTransportTests
{
    private const int Hang = 60_000; // nothing here takes a second; a test that hangs must end

    public static TheoryData<string> Kinds => new(nameof(TransportKind.Own), nameof(TransportKind.Kestrel));

    public static TheoryData<string, bool> KindsPlainAndTls => new()
    {
        { nameof(TransportKind.Own), false },
        { nameof(TransportKind.Own), true },
        { nameof(TransportKind.Kestrel), false },
        { nameof(TransportKind.Kestrel), true },
    };

    [Theory(Timeout = Hang)]
    [MemberData(nameof(KindsPlainAndTls))]
    public async Task Sixteen_megabytes_come_back_unchanged(string kind, bool tls)
    {
        await using var server = await StartAsync(kind, Handlers.Echo);
        await using var client = await server.OpenAsync(tls);
        var sent = new byte[16 * 1024 * 1024 + 7];
        new Random(1).NextBytes(sent);

        var writing = WriteInPieces(client, sent);
        var received = new byte[sent.Length];
        await client.ReadExactlyAsync(received, TestContext.Current.CancellationToken);
        await writing;

        Assert.Equal(SHA256.HashData(sent), SHA256.HashData(received));
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(KindsPlainAndTls))]
    public async Task Bytes_sent_one_at_a_time_arrive_in_order(string kind, bool tls)
    {
        await using var server = await StartAsync(kind, Handlers.Echo);
        await using var client = await server.OpenAsync(tls);
        for (var i = 0; i < 500; i++)
        {
            client.WriteByte((byte)i);
            Assert.Equal((byte)i, client.ReadByte());
        }
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task A_client_that_closed_its_half_still_gets_its_answer(string kind)
    {
        await using var server = await StartAsync(kind, async connection =>
        {
            var read = await connection.Transport.Input.ReadAtLeastAsync(int.MaxValue);
            Assert.True(read.IsCompleted);
            await connection.Transport.Output.WriteAsync(BitConverter.GetBytes(read.Buffer.Length));
        });
        using var client = await server.ConnectAsync();
        await client.SendAsync(new byte[100_000]);
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal(100_000, BitConverter.ToInt64(await ReceiveToEnd(client)));
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task The_end_of_stream_is_told_again_to_whoever_reads_again(string kind)
    {
        var ends = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(kind, async connection =>
        {
            var input = connection.Transport.Input;
            ReadResult read;
            do
            {
                read = await input.ReadAsync();
                input.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted);

            var again = await input.ReadAsync();
            input.AdvanceTo(again.Buffer.End);
            ends.SetResult(again.IsCompleted && again.Buffer.IsEmpty && input.TryRead(out var third) && third.IsCompleted);
        });
        using var client = await server.ConnectAsync();
        await client.SendAsync(new byte[10]);
        client.Shutdown(SocketShutdown.Send);

        Assert.True(await ends.Task);
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task A_reset_in_the_middle_of_a_body_ends_the_read_with_an_error_and_fires_ConnectionClosed(string kind)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var failure = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(kind, async connection =>
        {
            await using var registration = connection.ConnectionClosed.Register(closed.SetResult);
            try
            {
                while (true)
                {
                    var read = await connection.Transport.Input.ReadAsync();
                    connection.Transport.Input.AdvanceTo(read.Buffer.End);
                    begun.TrySetResult();
                    if (read.IsCompleted)
                    {
                        failure.SetResult(new InvalidOperationException("It looked like a clean end."));
                        return;
                    }
                }
            }
            catch (Exception e)
            {
                failure.SetResult(e);
                await closed.Task;
            }
        });
        var client = await server.ConnectAsync();
        await client.SendAsync(new byte[100_000]);
        await begun.Task;
        client.Close(0); // reset

        Assert.IsType<ConnectionResetException>(await failure.Task);
        await closed.Task;
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task A_read_cancelled_beforehand_returns_at_once_and_the_next_one_reads(string kind)
    {
        var outcome = new TaskCompletionSource<(bool, bool, byte)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(kind, async connection =>
        {
            var input = connection.Transport.Input;
            input.CancelPendingRead();
            var first = await input.ReadAsync();
            input.AdvanceTo(first.Buffer.Start);
            await connection.Transport.Output.WriteAsync(new byte[1]); // now the client sends
            var second = await input.ReadAsync();
            outcome.SetResult((first.IsCanceled, second.IsCanceled, second.Buffer.FirstSpan[0]));
        });
        using var client = await server.ConnectAsync();
        await client.ReceiveAsync(new byte[1]);
        await client.SendAsync(new byte[] { 42 });

        Assert.Equal((true, false, (byte)42), await outcome.Task);
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(KindsPlainAndTls))]
    public async Task A_read_that_waits_can_be_cancelled_from_outside_any_number_of_times(string kind, bool tls)
    {
        var reader = new TaskCompletionSource<PipeReader>(TaskCreationOptions.RunContinuationsAsynchronously);
        var cancelled = new SemaphoreSlim(0);
        var received = new TaskCompletionSource<byte>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(kind, async connection =>
        {
            var input = connection.Transport.Input;
            reader.SetResult(input);
            while (true)
            {
                var read = await input.ReadAsync();
                if (!read.IsCanceled)
                {
                    received.SetResult(read.Buffer.FirstSpan[0]);
                    return;
                }

                input.AdvanceTo(read.Buffer.Start);
                cancelled.Release();
            }
        });
        await using var client = await server.OpenAsync(tls);
        for (var i = 0; i < 100; i++)
        {
            (await reader.Task).CancelPendingRead();
            await cancelled.WaitAsync(TestContext.Current.CancellationToken);
        }

        client.WriteByte(42);
        Assert.Equal(42, await received.Task);
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task A_connection_that_ends_after_a_cancelled_read_is_closed_and_not_reset(string kind)
    {
        var reader = new TaskCompletionSource<PipeReader>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(kind, async connection =>
        {
            var waiting = connection.Transport.Input.ReadAsync();
            reader.SetResult(connection.Transport.Input);
            Assert.True((await waiting).IsCanceled);
        });
        using var client = await server.ConnectAsync();
        (await reader.Task).CancelPendingRead();

        Assert.Equal(0, await client.ReceiveAsync(new byte[1])); // a reset would throw
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task A_token_can_cancel_a_read_that_waits_and_no_byte_is_lost(string kind)
    {
        var outcome = new TaskCompletionSource<byte>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(kind, async connection =>
        {
            using var soon = new CancellationTokenSource();
            var waiting = connection.Transport.Input.ReadAsync(soon.Token).AsTask();
            await soon.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
            await connection.Transport.Output.WriteAsync(new byte[1]);
            var read = await connection.Transport.Input.ReadAsync(CancellationToken.None);
            outcome.SetResult(read.Buffer.FirstSpan[0]);
        });
        using var client = await server.ConnectAsync();
        await client.ReceiveAsync(new byte[1]);
        await client.SendAsync(new byte[] { 42 });

        Assert.Equal(42, await outcome.Task);
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(KindsPlainAndTls))]
    public async Task A_flush_to_a_client_that_never_reads_waits_and_ends_when_the_connection_is_aborted(string kind, bool tls)
    {
        var flushing = new TaskCompletionSource<ConnectionContext>(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(kind, async connection =>
        {
            var piece = new byte[256 * 1024];
            try
            {
                // Through TLS no flush says that the connection is over; the token does.
                while (!connection.ConnectionClosed.IsCancellationRequested)
                {
                    var flush = connection.Transport.Output.WriteAsync(piece);
                    if (!flush.IsCompleted)
                    {
                        flushing.TrySetResult(connection);
                    }

                    if ((await flush).IsCompleted)
                    {
                        break;
                    }
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // Through TLS the stream in between reports it its own way.
            }

            ended.SetResult();
        });
        await using var client = await server.OpenAsync(tls);
        (await flushing.Task).Abort();
        await ended.Task;
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task What_a_cancelled_flush_left_behind_is_sent_all_the_same(string kind)
    {
        const int Pieces = 64;
        var writer = new TaskCompletionSource<PipeWriter>(TaskCreationOptions.RunContinuationsAsynchronously);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(kind, async connection =>
        {
            var output = connection.Transport.Output;
            for (var i = 0; i < Pieces; i++)
            {
                output.GetSpan(128 * 1024)[..(128 * 1024)].Fill((byte)i);
                output.Advance(128 * 1024);
                var flush = output.FlushAsync();
                if (!flush.IsCompleted)
                {
                    writer.TrySetResult(output);
                }

                if ((await flush).IsCanceled)
                {
                    cancelled.SetResult();
                }
            }
        });
        using var client = await server.ConnectAsync();
        (await writer.Task).CancelPendingFlush();
        await cancelled.Task;

        var received = await ReceiveToEnd(client);
        Assert.Equal(Pieces * 128 * 1024, received.Length);
        for (var i = 0; i < Pieces; i++)
        {
            Assert.Equal(-1, received.AsSpan(i * 128 * 1024, 128 * 1024).IndexOfAnyExcept((byte)i));
        }
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task Written_but_unflushed_bytes_go_out_when_the_handler_returns(string kind)
    {
        await using var server = await StartAsync(kind, connection =>
        {
            connection.Transport.Output.GetSpan(3).Fill(7);
            connection.Transport.Output.Advance(3);
            return Task.CompletedTask;
        });
        using var client = await server.ConnectAsync();

        Assert.Equal(new byte[] { 7, 7, 7 }, await ReceiveToEnd(client));
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task An_answer_given_before_the_body_was_read_reaches_the_client(string kind)
    {
        await using var server = await StartAsync(kind, async connection =>
        {
            var read = await connection.Transport.Input.ReadAtLeastAsync(10);
            connection.Transport.Input.AdvanceTo(read.Buffer.GetPosition(10));
            await connection.Transport.Output.WriteAsync("refused"u8.ToArray());
        });
        using var client = await server.ConnectAsync();
        await client.SendAsync(new byte[300_000]); // most of it nobody reads

        Assert.Equal("refused"u8.ToArray(), await ReceiveToEnd(client));
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(KindsPlainAndTls))]
    public async Task Two_hundred_connections_lie_idle_and_then_all_work(string kind, bool tls)
    {
        await using var server = await StartAsync(kind, Handlers.Echo);
        var clients = new List<Stream>();
        for (var i = 0; i < 200; i++)
        {
            clients.Add(await server.OpenAsync(tls));
        }

        var payload = new byte[50_000];
        new Random(2).NextBytes(payload);
        await Task.WhenAll(clients.Select(async client =>
        {
            var writing = client.WriteAsync(payload, TestContext.Current.CancellationToken).AsTask();
            var back = new byte[payload.Length];
            await client.ReadExactlyAsync(back, TestContext.Current.CancellationToken);
            await writing;
            Assert.Equal(payload, back);
        }));
        foreach (var client in clients)
        {
            await client.DisposeAsync();
        }
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(KindsPlainAndTls))]
    public async Task Stopping_asks_connections_to_end_and_waits_for_them(string kind, bool tls)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(kind, async connection =>
        {
            await UntilAskedToEnd(connection, begun);
            var read = await connection.Transport.Input.ReadAsync(); // the upload in flight goes on
            await connection.Transport.Output.WriteAsync(read.Buffer.FirstSpan.ToArray());
        });
        await using var client = await server.OpenAsync(tls);
        client.WriteByte(1);
        await begun.Task;
        var stopped = server.StopAsync(CancellationToken.None);
        client.WriteByte(42);

        Assert.Equal(42, client.ReadByte());
        await stopped;
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(KindsPlainAndTls))]
    public async Task A_connection_outlives_a_garbage_collection_whatever_its_handler_waits_for(string kind, bool tls)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(kind, async connection =>
        {
            await UntilAskedToEnd(connection, begun); // that wait is known to nobody but the connection
            await connection.Transport.Output.WriteAsync(new byte[] { 42 });
        });
        await using var client = await server.OpenAsync(tls);
        client.WriteByte(1);
        await begun.Task;
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        var stopped = server.StopAsync(CancellationToken.None);

        Assert.Equal(42, client.ReadByte());
        await stopped;
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task Stopping_without_patience_aborts_connections_that_wait_for_their_client(string kind)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var failure = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(kind, async connection =>
        {
            var waiting = connection.Transport.Input.ReadAsync().AsTask();
            begun.SetResult();
            failure.SetResult((await Record.ExceptionAsync(() => waiting))!);
        });
        using var client = await server.ConnectAsync();
        await begun.Task;
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await server.StopAsync(now.Token);

        Assert.IsType<ConnectionAbortedException>(await failure.Task);
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task The_connection_limit_of_Kestrel_applies(string kind)
    {
        await using var server = await StartAsync(kind, Handlers.Echo, kestrel => kestrel.Limits.MaxConcurrentConnections = 2);
        using var first = await server.OpenAsync(tls: false);
        using var second = await server.OpenAsync(tls: false);
        foreach (var client in new[] { first, second })
        {
            client.WriteByte(5);
            Assert.Equal(5, client.ReadByte());
        }

        using var third = await server.ConnectAsync();
        Assert.Empty(await ReceiveToEnd(third));
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task The_heartbeat_ticks_on_every_connection(string kind)
    {
        var ticks = new SemaphoreSlim(0);
        await using var server = await StartAsync(kind, connection =>
        {
            connection.Features.Get<IConnectionHeartbeatFeature>()!.OnHeartbeat(_ => ticks.Release(), connection);
            return Handlers.Echo(connection);
        });
        using var client = await server.ConnectAsync();
        await ticks.WaitAsync(TestContext.Current.CancellationToken);
        await ticks.WaitAsync(TestContext.Current.CancellationToken);
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task Unix_domain_sockets_work(string kind)
    {
        var path = Path.Combine(Path.GetTempPath(), $"fl-{Guid.NewGuid():N}.sock");
        await using var server = await StartAsync(kind, Handlers.Echo, kestrel => kestrel.ListenUnixSocket(path, endpoint => endpoint.Run(Handlers.Echo)));
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await client.ConnectAsync(new UnixDomainSocketEndPoint(path));
        await client.SendAsync(new byte[] { 1, 2, 3 });
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal(new byte[] { 1, 2, 3 }, await ReceiveToEnd(client));
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task An_inherited_listening_descriptor_works(string kind)
    {
        using var inherited = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        inherited.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        inherited.Listen();
        await using var server = await StartAsync(
            kind, Handlers.Echo, kestrel => kestrel.ListenHandle((ulong)inherited.Handle, endpoint => endpoint.Run(Handlers.Echo)));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(inherited.LocalEndPoint!);
        await client.SendAsync(new byte[] { 1, 2, 3 });
        client.Shutdown(SocketShutdown.Send);

        Assert.Equal(new byte[] { 1, 2, 3 }, await ReceiveToEnd(client));
    }

    [Theory(Timeout = Hang)]
    [MemberData(nameof(Kinds))]
    public async Task An_address_in_use_is_named_as_such(string kind)
    {
        await using var server = await StartAsync(kind, Handlers.Echo);
        var failure = await Assert.ThrowsAsync<IOException>(() => StartAsync(
            kind, Handlers.Echo, kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, server.Port, endpoint => endpoint.Run(Handlers.Echo))));
        Assert.IsType<AddressInUseException>(failure.InnerException);
    }

    private static Task<TransportServer> StartAsync(
        string kind, Func<ConnectionContext, Task> handler, Action<Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions>? configure = null) =>
        TransportServer.StartAsync(Enum.Parse<TransportKind>(kind), handler, configure);

    /// <summary>Takes what the client sends first, says so, and waits for the server's stop.</summary>
    private static async Task UntilAskedToEnd(ConnectionContext connection, TaskCompletionSource begun)
    {
        var read = await connection.Transport.Input.ReadAsync();
        connection.Transport.Input.AdvanceTo(read.Buffer.End);
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = connection.Features.Get<IConnectionLifetimeNotificationFeature>()!
            .ConnectionClosedRequested.Register(stopping.SetResult);
        begun.SetResult();
        await stopping.Task;
    }

    private static async Task WriteInPieces(Stream client, byte[] bytes)
    {
        var random = new Random(3);
        for (var at = 0; at < bytes.Length;)
        {
            var count = Math.Min(random.Next(1, 200_000), bytes.Length - at);
            await client.WriteAsync(bytes.AsMemory(at, count), TestContext.Current.CancellationToken);
            at += count;
        }
    }

    private static async Task<byte[]> ReceiveToEnd(Socket client)
    {
        var received = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int count;
        while ((count = await client.ReceiveAsync(buffer, TestContext.Current.CancellationToken)) > 0)
        {
            received.Write(buffer.AsSpan(0, count));
        }

        return received.ToArray();
    }
}
