using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using FastListener.Hosting.Transport;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Xunit;

#pragma warning disable xUnit1069 // a timeout only ends a test that hangs, and a test that hangs has failed

namespace FastListener.Transport;

/// <summary>What our own transport promises beyond Kestrel's, and the fine print of its reader and writer.</summary>
public class OwnTransportTests
{
    private const int Hang = 60_000;

    [Fact(Timeout = Hang)]
    public async Task One_read_brings_what_has_arrived_as_one_segment()
    {
        await using var pair = await SocketPair.CreateAsync();
        await pair.Client.SendAsync(new byte[60_000]);
        await Handlers.Until(() => pair.Socket().Available == 60_000);
        var read = await pair.Input.ReadAsync(TestContext.Current.CancellationToken);
        Assert.True(read.Buffer.IsSingleSegment);
        Assert.Equal(60_000, read.Buffer.Length);
    }

    [Fact(Timeout = Hang)]
    public async Task Unconsumed_bytes_stay_in_front_of_new_ones_in_one_segment()
    {
        await using var pair = await SocketPair.CreateAsync();
        await pair.Client.SendAsync("abc"u8.ToArray());
        var read = await pair.Input.ReadAtLeastAsync(3, TestContext.Current.CancellationToken);
        pair.Input.AdvanceTo(read.Buffer.GetPosition(1), read.Buffer.End);
        await pair.Client.SendAsync("def"u8.ToArray());
        read = await pair.Input.ReadAtLeastAsync(5, TestContext.Current.CancellationToken);
        Assert.Equal("bcdef"u8.ToArray(), read.Buffer.FirstSpan.ToArray());
    }

    [Fact(Timeout = Hang)]
    public async Task What_was_not_examined_is_shown_again_without_waiting()
    {
        await using var pair = await SocketPair.CreateAsync();
        await pair.Client.SendAsync("abc"u8.ToArray());
        var read = await pair.Input.ReadAtLeastAsync(3, TestContext.Current.CancellationToken);
        pair.Input.AdvanceTo(read.Buffer.GetPosition(1), read.Buffer.GetPosition(2));
        Assert.True(pair.Input.TryRead(out read));
        Assert.Equal("bc"u8.ToArray(), read.Buffer.ToArray());
        pair.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        Assert.False(pair.Input.TryRead(out _));

        var waiting = pair.Input.ReadAsync(TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        await pair.Client.SendAsync("d"u8.ToArray());
        Assert.Equal("bcd"u8.ToArray(), (await waiting).Buffer.ToArray());
    }

    [Fact(Timeout = Hang)]
    public async Task A_reader_may_gather_many_blocks_up_to_the_limit_and_no_further()
    {
        await using var pair = await SocketPair.CreateAsync(new TransportOptions { MaxUnconsumedBytes = 300_000 });
        var sent = new byte[290_000];
        new Random(1).NextBytes(sent);
        var sending = pair.Client.SendAsync(sent);
        var read = await pair.Input.ReadAtLeastAsync(sent.Length, TestContext.Current.CancellationToken);
        await sending;
        Assert.True(read.Buffer.IsSingleSegment);
        Assert.Equal(sent, read.Buffer.ToArray());
        pair.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);

        sending = pair.Client.SendAsync(sent);
        await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await pair.Input.ReadAtLeastAsync(2 * sent.Length, TestContext.Current.CancellationToken));
    }

    [Fact(Timeout = Hang)]
    public async Task A_window_that_slides_over_a_long_stream_never_loses_a_byte()
    {
        await using var pair = await SocketPair.CreateAsync(new TransportOptions { BlockSize = 8192, MaxUnconsumedBytes = 65536 });
        var sent = new byte[3_000_000];
        var random = new Random(1);
        random.NextBytes(sent);
        var sending = pair.Client.SendAsync(sent);
        var received = new MemoryStream();
        while (received.Length < sent.Length)
        {
            var read = await pair.Input.ReadAsync(TestContext.Current.CancellationToken);
            var keep = received.Length + read.Buffer.Length < sent.Length ? random.Next(0, 5000) : 0;
            var consumed = read.Buffer.Slice(0, Math.Max(0, read.Buffer.Length - keep));
            received.Write(consumed.ToArray());
            pair.Input.AdvanceTo(consumed.End, read.Buffer.End);
        }

        await sending;
        Assert.Equal(sent, received.ToArray());
    }

    [Fact(Timeout = Hang)]
    public async Task Advancing_outside_of_what_was_shown_is_refused()
    {
        await using var pair = await SocketPair.CreateAsync();
        await pair.Client.SendAsync("abc"u8.ToArray());
        var read = await pair.Input.ReadAtLeastAsync(3, TestContext.Current.CancellationToken);
        pair.Input.AdvanceTo(read.Buffer.GetPosition(2));
        Assert.Throws<InvalidOperationException>(() => pair.Input.AdvanceTo(read.Buffer.Start));
        Assert.Throws<InvalidOperationException>(() => pair.Input.AdvanceTo(read.Buffer.End, read.Buffer.GetPosition(2)));
        Assert.Throws<InvalidOperationException>(() => pair.Input.AdvanceTo(new ReadOnlySequence<byte>(new byte[9]).End));
    }

    [Fact(Timeout = Hang)]
    public async Task Two_reads_at_once_and_reads_after_Complete_are_refused()
    {
        await using var pair = await SocketPair.CreateAsync();
        var waiting = pair.Input.ReadAsync(TestContext.Current.CancellationToken);
        Assert.Throws<InvalidOperationException>(() => { _ = pair.Input.ReadAsync(TestContext.Current.CancellationToken).AsTask(); });
        pair.Input.CancelPendingRead();
        Assert.True((await waiting).IsCanceled);
        await pair.Input.CompleteAsync();
        Assert.Throws<InvalidOperationException>(() => pair.Input.TryRead(out _));
    }

    [Fact(Timeout = Hang)]
    public async Task An_idle_connection_holds_no_block()
    {
        await using var server = await TransportServer.StartAsync(TransportKind.Own, Handlers.Echo);
        var clients = new List<Stream>();
        for (var i = 0; i < 100; i++)
        {
            clients.Add(await server.OpenAsync(tls: false));
        }

        foreach (var client in clients)
        {
            client.WriteByte(1);
            Assert.Equal(1, client.ReadByte());
        }

        await Handlers.Until(() => server.Blocks.RentedBlocks == 0); // each took one, and each must give it back while it waits
        clients.ForEach(client => client.Dispose());
    }

    [Theory(Timeout = Hang)]
    [InlineData("handler returns")]
    [InlineData("client resets")]
    [InlineData("server aborts")]
    [InlineData("client never reads")]
    public async Task However_a_connection_ends_every_block_is_back_afterwards(string end)
    {
        await using var pair = await SocketPair.CreateAsync(new TransportOptions { CloseTimeout = TimeSpan.FromMilliseconds(50) });
        await pair.Client.SendAsync(new byte[100_000]);
        var read = await pair.Input.ReadAsync(TestContext.Current.CancellationToken);
        pair.Input.AdvanceTo(read.Buffer.Start, read.Buffer.GetPosition(1));
        pair.Output.GetSpan(200_000)[..100].Clear();
        pair.Output.Advance(100);
        switch (end)
        {
            case "client resets":
                pair.Client.Close(0);
                break;
            case "server aborts":
                pair.Server.Abort();
                break;
            case "client never reads":
                pair.Output.GetSpan(50_000_000).Clear();
                pair.Output.Advance(50_000_000);
                break;
        }

        await pair.Server.DisposeAsync();
        Assert.Equal(0, pair.Blocks.RentedBlocks);
        Assert.True(pair.Server.ConnectionClosed.IsCancellationRequested);
    }

    [Fact(Timeout = Hang)]
    public async Task Completing_the_output_sends_the_end_of_stream_and_reading_goes_on()
    {
        await using var pair = await SocketPair.CreateAsync();
        await pair.Output.WriteAsync("refused"u8.ToArray(), TestContext.Current.CancellationToken);
        await pair.Output.CompleteAsync();
        var answer = new byte[100];
        Assert.Equal(7, await pair.Client.ReceiveAsync(answer));
        Assert.Equal(0, await pair.Client.ReceiveAsync(answer));

        await pair.Client.SendAsync(new byte[1000]);
        var read = await pair.Input.ReadAtLeastAsync(1000, TestContext.Current.CancellationToken);
        Assert.Equal(1000, read.Buffer.Length);
    }

    [Fact(Timeout = Hang)]
    public async Task Aborting_resets_the_client_and_drops_what_is_written_afterwards()
    {
        await using var pair = await SocketPair.CreateAsync();
        var waiting = pair.Input.ReadAsync(TestContext.Current.CancellationToken).AsTask();
        pair.Server.Abort(new ConnectionAbortedException("enough"));
        Assert.Equal("enough", (await Assert.ThrowsAsync<ConnectionAbortedException>(() => waiting)).Message);
        var failure = await Assert.ThrowsAsync<SocketException>(async () => await pair.Client.ReceiveAsync(new byte[1]));
        Assert.Equal(SocketError.ConnectionReset, failure.SocketErrorCode);
        Assert.True((await pair.Output.WriteAsync(new byte[10], TestContext.Current.CancellationToken)).IsCompleted);
        Assert.True((await pair.Output.FlushAsync(TestContext.Current.CancellationToken)).IsCompleted);
    }

    [Fact(Timeout = Hang)]
    public async Task A_large_write_to_a_slow_client_keeps_one_block_not_a_copy()
    {
        await using var pair = await SocketPair.CreateAsync();
        var sent = new byte[20_000_000];
        new Random(1).NextBytes(sent);
        var writing = pair.Output.WriteAsync(sent, TestContext.Current.CancellationToken).AsTask();
        Assert.False(writing.IsCompleted);
        Assert.Equal(1, pair.Blocks.RentedBlocks);

        var received = new byte[sent.Length];
        for (var at = 0; at < received.Length;)
        {
            at += await pair.Client.ReceiveAsync(received.AsMemory(at), TestContext.Current.CancellationToken);
        }

        Assert.False((await writing).IsCanceled);
        Assert.Equal(sent, received);
        Assert.Equal(0, pair.Blocks.RentedBlocks);
    }

    [Fact(Timeout = Hang)]
    public async Task Pieces_of_every_size_are_sent_in_order_and_unflushed_ones_are_counted()
    {
        await using var pair = await SocketPair.CreateAsync();
        var random = new Random(1);
        var sent = new MemoryStream();
        var receiving = Task.Run(() =>
        {
            var received = new MemoryStream();
            var buffer = new byte[10_000];
            for (int count; (count = pair.Client.Receive(buffer)) > 0;)
            {
                received.Write(buffer, 0, count);
            }

            return received.ToArray();
        }, TestContext.Current.CancellationToken);
        for (var i = 0; i < 300; i++)
        {
            var unflushed = 0;
            for (var j = random.Next(4); j >= 0; j--)
            {
                var size = random.Next(1, 100_000);
                var span = pair.Output.GetSpan(size)[..size];
                random.NextBytes(span);
                sent.Write(span);
                pair.Output.Advance(size);
                Assert.Equal(unflushed += size, pair.Output.UnflushedBytes);
                _ = pair.Output.GetSpan(1); // asked for and never used
            }

            await pair.Output.FlushAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, pair.Output.UnflushedBytes);
        }

        await pair.Output.CompleteAsync();
        Assert.Equal(sent.ToArray(), await receiving);
    }

    [Fact(Timeout = Hang)]
    public async Task A_client_that_takes_nothing_is_cut_off_when_the_close_timeout_is_over()
    {
        await using var pair = await SocketPair.CreateAsync(new TransportOptions { CloseTimeout = TimeSpan.FromMilliseconds(20) });
        pair.Output.GetSpan(50_000_000).Clear();
        pair.Output.Advance(50_000_000);
        await pair.Server.DisposeAsync();
        pair.Client.ReceiveTimeout = Hang;
        var buffer = new byte[1_000_000];
        var failure = Assert.Throws<SocketException>(() =>
        {
            while (pair.Client.Receive(buffer) > 0)
            {
            }
        });
        Assert.Equal(SocketError.ConnectionReset, failure.SocketErrorCode);
    }

    [Fact(Timeout = Hang)]
    public async Task Ten_thousand_cancelled_reads_race_with_arriving_bytes_and_lose_none()
    {
        await using var pair = await SocketPair.CreateAsync();
        using var done = new CancellationTokenSource();
        var cancelling = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                pair.Input.CancelPendingRead();
                Thread.SpinWait(50);
            }
        }, TestContext.Current.CancellationToken);
        var one = new byte[1];
        for (var i = 0; i < 5_000; i++)
        {
            one[0] = (byte)i;
            await pair.Client.SendAsync(one);
            ReadResult read;
            do
            {
                read = await pair.Input.ReadAsync(TestContext.Current.CancellationToken);
                if (read.Buffer.IsEmpty)
                {
                    pair.Input.AdvanceTo(read.Buffer.End);
                }
            }
            while (read.Buffer.IsEmpty);
            Assert.Equal((byte)i, Assert.Single(read.Buffer.ToArray()));
            pair.Input.AdvanceTo(read.Buffer.End);
        }

        await done.CancelAsync();
        await cancelling;
    }

    [Fact(Timeout = Hang)]
    public async Task A_connection_offers_the_features_Kestrel_and_handlers_ask_for()
    {
        await using var pair = await SocketPair.CreateAsync();
        var features = pair.Server.Features;
        Assert.Equal(pair.Client.LocalEndPoint, pair.Server.RemoteEndPoint);
        Assert.Equal(pair.Client.RemoteEndPoint, features.Get<IConnectionEndPointFeature>()!.LocalEndPoint);
        Assert.Equal(pair.Server.ConnectionId, features.Get<IConnectionIdFeature>()!.ConnectionId);
        Assert.Equal(13, pair.Server.ConnectionId.Length);
        Assert.Same(pair.Server.Transport, features.Get<IConnectionTransportFeature>()!.Transport);
        Assert.Same(pair.Server.Items, features.Get<IConnectionItemsFeature>()!.Items);
        Assert.Equal(64 * 1024, features.Get<IMemoryPoolFeature>()!.MemoryPool.MaxBufferSize);
        Assert.Equal(pair.Server.ConnectionClosed, features.Get<IConnectionLifetimeFeature>()!.ConnectionClosed);
        Assert.True(features.Get<IConnectionSocketFeature>()!.Socket.NoDelay);
        Assert.Null(features.Get<IConnectionHeartbeatFeature>());
        Assert.Equal(7, features.Count());
    }

    [Fact(Timeout = Hang)]
    public async Task Features_can_be_added_replaced_and_taken_away()
    {
        await using var pair = await SocketPair.CreateAsync();
        var features = pair.Server.Features;
        var revision = features.Revision;
        features.Set("added");
        Assert.Equal("added", features.Get<string>());
        features[typeof(string)] = "replaced";
        Assert.Equal("replaced", features.Get<string>());
        Assert.Equal(8, features.Count());
        features.Set<string>(null);
        Assert.Null(features.Get<string>());
        features.Set<IConnectionSocketFeature>(null);
        Assert.Null(features.Get<IConnectionSocketFeature>());
        Assert.Equal(6, features.Count());
        Assert.True(features.Revision > revision);
    }

    [Fact(Timeout = Hang)]
    public async Task A_callback_of_ConnectionClosed_that_throws_harms_nobody()
    {
        await using var pair = await SocketPair.CreateAsync();
        var called = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        pair.Server.ConnectionClosed.Register(() =>
        {
            called.SetResult();
            throw new InvalidOperationException("on purpose");
        });
        pair.Server.Abort();
        await called.Task;
    }
}

internal static class SocketPairExtensions
{
    public static Socket Socket(this SocketPair pair) => pair.Server.Features.Get<IConnectionSocketFeature>()!.Socket;
}
