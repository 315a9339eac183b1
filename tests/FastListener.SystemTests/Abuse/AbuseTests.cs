using System.IO.Compression;
using System.Text;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Abuse;

/// <summary>
/// Clients that mean harm, or are broken in numbers: one abuse each. Meanwhile a client that behaves keeps getting its 200s; afterwards
/// sockets, descriptors, memory and the use of the processor are what they were.
/// </summary>
public sealed class AbuseTests
{
    [Fact]
    public async Task Two_thousand_idle_connections_are_borne_and_then_let_go()
    {
        await using var listener = await AbusedListener.StartAsync("idle", ("Deadlines__IdleSeconds", "10"), ("Deadlines__HeadSeconds", "10"));
        var idle = Scale.Of(2000);
        var clients = Enumerable.Range(0, idle).Select(index => RawClient.Connect(index % 4 == 3 ? listener.Server.Process.HttpsPort : listener.Port)).ToList();
        for (var index = 0; index < idle; index++)
        {
            clients[index].Send((index % 4) switch
            {
                1 => "POST /post HTTP/1.1\r\nHost: te",
                2 => "\r\n",
                _ => "", // the fourth has not even begun its handshake
            });
        }

        await Eventually.TrueAsync(() => ProcessFigures.Sockets(listener.Pid) >= listener.Before.Sockets + (idle * 9 / 10), "all of them are connected");
        await listener.AssertServesAsync();
        await listener.AssertComesBackAsync(); // although not one of them has been closed by its client
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Five_hundred_slow_senders_hold_nobody_up_and_are_ended()
    {
        await using var listener = await AbusedListener.StartAsync("slow", ("Deadlines__BodyGraceSeconds", "5"), ("Deadlines__MinBodyBytesPerSecond", "1000"));
        var clients = Enumerable.Range(0, Scale.Of(500)).Select(_ => RawClient.Connect(listener.Port)).ToList();
        var head = $"POST /post?format=minidump&token={listener.Token} HTTP/1.1\r\nHost: test\r\n";
        for (var index = 0; index < clients.Count; index++)
        {
            clients[index].Send(head + (index % 2 == 0 ? "Content-Length: 1000000\r\n\r\nMDMP" : "Transfer-Encoding: chunked\r\n\r\nf4240\r\nMDMP"));
        }

        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(100)); // ten bytes a second from each
        var trickling = Task.Run(
            async () =>
            {
                while (await pace.WaitForNextTickAsync(CancellationToken.None))
                {
                    clients.ForEach(client => client.Send("x"));
                }
            },
            CancellationToken.None);
        await listener.AssertServesAsync();
        await Eventually.TrueAsync(() => clients.TrueForAll(client => client.HasReplyWithin(TimeSpan.Zero)), "every one is ended");
        pace.Dispose();
        await trickling;
        Assert.All(clients, client => Assert.Equal(408, client.ReadReply().Status));
        await listener.AssertComesBackAsync();
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Connections_that_come_and_go_at_full_speed_leave_nothing()
    {
        await using var listener = await AbusedListener.StartAsync("churn");
        var left = Scale.Of(20_000);
        var churning = Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            while (Interlocked.Decrement(ref left) is >= 0 and var count)
            {
                using var client = RawClient.Connect(count % 8 == 0 ? listener.Server.Process.HttpsPort : listener.Port);
                client.Send((count % 4) switch { 0 => "\x16\x03\x01", 1 => "POST /post HT", _ => "" });
                if (count % 3 != 0)
                {
                    client.Reset();
                }
            }
        })));
        await listener.AssertServesAsync();
        await churning;
        await listener.AssertComesBackAsync();
    }

    [Fact]
    public async Task Clients_cut_off_or_half_closed_mid_body_leave_no_work_behind()
    {
        await using var listener = await AbusedListener.StartAsync("cut off");
        var halfClosed = new List<(RawClient Client, bool Secure)>();
        var requests = PartialBodies(listener.Token);
        var rounds = Scale.Of(400);
        for (var round = 0; round < rounds; round++)
        {
            var secure = round % 5 == 4;
            var client = secure ? RawClient.ConnectTls(listener.Server.Process.HttpsPort) : RawClient.Connect(listener.Port);
            client.Send(requests[round % requests.Count]);
            switch (round % 3)
            {
                case 0:
                    client.Reset();
                    break;
                case 1:
                    client.Dispose();
                    break;
                default:
                    client.FinishSending();
                    halfClosed.Add((client, secure));
                    break;
            }
        }

        await listener.AssertServesAsync();
        foreach (var (client, secure) in halfClosed)
        {
            var reply = client.TryReadReply();
            Assert.True(secure ? reply is null or { Status: 400 } : reply is { Status: 400 }, $"{reply}"); // within TLS the end of sending is no half of a close
            client.ReadToEnd();
        }

        await listener.AssertComesBackAsync(); // they are still open on this side
        halfClosed.ForEach(half => half.Client.Dispose());
    }

    [Fact]
    public async Task Clients_that_never_read_are_let_go_and_cost_no_memory_meanwhile()
    {
        await using var listener = await AbusedListener.StartAsync("deaf", ("Deadlines__ReplySeconds", "5"));
        var flood = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("GET /nonsense HTTP/1.1\r\nHost: test\r\n\r\n", 500)));
        var clients = Enumerable.Range(0, Scale.Of(50)).Select(_ => RawClient.Connect(listener.Port, receiveBuffer: 16 * 1024)).ToList();
        var sending = Task.WhenAll(clients.Select(client => Task.Factory.StartNew(
            () =>
            {
                while (client.Send(flood))
                {
                    // Until the listener takes nothing more, and then hangs up.
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        await listener.AssertServesAsync();
        while (await Task.WhenAny(sending, Task.Delay(50, TestContext.Current.CancellationToken)) != sending)
        {
            // The heap between two collections, and nothing of what they do not read: that would grow for as long as they send.
            Assert.InRange(Footprint.Of(listener.Pid).Anonymous - listener.Before.Anonymous, long.MinValue, 128L * 1024 * 1024);
        }

        await sending;
        await listener.AssertComesBackAsync(); // none of them has hung up
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Sixty_four_gzip_bombs_are_refused_and_nothing_of_them_is_kept()
    {
        await using var listener = await AbusedListener.StartAsync("bombs", ("Limits__InflationGraceBytes", "8388608"));
        var bomb = Bomb("MDMP"u8, 512);
        var form = Bomb("--b\r\nContent-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"x\"\r\n\r\nMDMP"u8, 512);
        var bombs = Enumerable.Range(0, Scale.Of(64)).Select(index => Task.Factory.StartNew(
            () =>
            {
                using var client = RawClient.Connect(listener.Port);
                var body = index % 2 == 0 ? bomb : form; // half of them show no token at all
                client.Send(
                    $"POST /post?format=minidump{(index % 2 == 0 ? $"&token={listener.Token}" : "")} HTTP/1.1\r\nHost: test\r\nContent-Encoding: gzip\r\n"
                    + $"{(index % 2 == 0 ? "" : "Content-Type: multipart/form-data; boundary=b\r\n")}Content-Length: {body.Length}\r\n\r\n");
                client.Send(body);
                return client.ReadReply();
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToList();
        await listener.AssertServesAsync();
        Assert.All(await Task.WhenAll(bombs), reply => Assert.Equal((413, "inflation_limit"), (reply.Status, reply.Header("FastListener-Reason"))));
        await listener.AssertComesBackAsync();
    }

    [Fact]
    public async Task Tokens_guessed_at_full_speed_are_all_refused_counted_and_slow_nobody_but_the_guesser()
    {
        await using var listener = await AbusedListener.StartAsync("guesses");
        var wrongBefore = AdminClient.Metrics(listener.Server.AdminPort)["fastlistener_wrong_tokens_total"];
        using var enough = new CancellationTokenSource();
        var guesses = new int[Scale.Of(64)];
        var guessers = Enumerable.Range(0, guesses.Length).Select(guesser => Task.Factory.StartNew(
            () =>
            {
                using var client = RawClient.Connect(listener.Port);
                for (var guess = 0; !enough.IsCancellationRequested; guess++)
                {
                    client.Send($"POST /post?format=minidump&token={listener.Token[..60]}{guess % 10000:x4} HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n");
                    Assert.Equal(403, client.ReadReply().Status);
                    Volatile.Write(ref guesses[guesser], guess + 1);
                }
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToList();
        await listener.AssertServesAsync(); // from the same address
        await Eventually.TrueAsync(
            () => AdminClient.Json(listener.Server.AdminPort, "/requests").EnumerateArray().Any(item => item.GetProperty("stage").GetString() == "held_back"),
            "guessers are held back");
        await Eventually.TrueAsync(
            () => listener.Behaved.Answered > 10 * (1 + guesses.Max()), // were it held back like them, it would come no further than they do
            "who behaves is answered ten times as often as any guesser");
        await enough.CancelAsync();
        await Task.WhenAll(guessers);
        Assert.Equal(guesses.Sum(), AdminClient.Metrics(listener.Server.AdminPort)["fastlistener_wrong_tokens_total"] - wrongBefore);
        await listener.AssertComesBackAsync();
    }

    [Fact]
    public async Task Pipelined_floods_get_every_answer_and_leave_others_their_turn()
    {
        await using var listener = await AbusedListener.StartAsync("pipeline");
        // Three kinds of answer, so that one that is missing or in another's place shows.
        var kinds = new[] { ("GET /nonsense", 404), ("GET /post", 405), ("OPTIONS /post", 200), ("GET /api/query", 404) };
        var batch = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 400).Select(index => $"{kinds[index % 4].Item1} HTTP/1.1\r\nHost: test\r\n\r\n")));
        using var enough = new CancellationTokenSource();
        var floods = Enumerable.Range(0, Scale.Of(16)).Select(_ => Task.Factory.StartNew(
            () =>
            {
                // One thread sends and another reads, faster than anybody could answer, up to 8,000 requests ahead: the listener has never to wait for one.
                using var client = RawClient.Connect(listener.Port);
                using var ahead = new SemaphoreSlim(20);
                var asked = 0;
                var sending = Task.Factory.StartNew(
                    () =>
                    {
                        for (; !enough.IsCancellationRequested && client.Send(batch); asked += 400)
                        {
                            ahead.Wait();
                        }

                        client.FinishSending();
                    },
                    CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
                var answered = 0;
                try
                {
                    client.ReadStatuses(status =>
                    {
                        Assert.Equal(kinds[answered % 4].Item2, status);
                        if (++answered % 400 == 0)
                        {
                            ahead.Release();
                        }
                    });
                }
                finally
                {
                    ahead.Release(1000); // whatever came: the other thread ends, too
                    sending.GetAwaiter().GetResult();
                }

                Assert.Equal(asked, answered);
                return asked;
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToList();
        await listener.AssertServesAsync();
        await enough.CancelAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"pipeline: {(await Task.WhenAll(floods)).Sum()} requests");
        await listener.AssertComesBackAsync();
    }

    /// <summary>Beginnings of bodies in every framing and coding, each cut where more must come.</summary>
    internal static List<byte[]> PartialBodies(string token)
    {
        var dump = Submit.MadeDump(1, 300_000);
        var zipped = Zip(dump);
        var form = Submit.FormRequest(token, dump, "a.log", new byte[5000]);
        return
        [
            [.. Head("Content-Length: 9000000"), .. dump],
            [.. Head("Content-Length: 9000000"), .. Submit.MadeDump(2, 1_500_000)], // a file of its own by then
            [.. Head("Transfer-Encoding: chunked"), .. "800000\r\n"u8, .. dump],
            [.. Head("Transfer-Encoding: chunked"), .. "4\r\nMDMP\r\n"u8],
            [.. Head("Transfer-Encoding: chunked"), .. "4\r\nMDMP\r\n1"u8],
            [.. Head($"Content-Encoding: gzip\r\nContent-Length: {zipped.Length}"), .. zipped[..^9]],
            [.. Head("Content-Length: 1000\r\nExpect: 100-continue")],
            form[..^2500],
        ];

        byte[] Head(string fields) => Encoding.ASCII.GetBytes($"POST /post?format=minidump&token={token} HTTP/1.1\r\nHost: test\r\n{fields}\r\n\r\n");
    }

    /// <summary>So many MiB of zeros in about a thousandth of it.</summary>
    internal static byte[] Bomb(ReadOnlySpan<byte> start, int mebibytes)
    {
        using var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionLevel.Optimal))
        {
            zip.Write(start);
            var zeros = new byte[1024 * 1024];
            for (var index = 0; index < mebibytes; index++)
            {
                zip.Write(zeros);
            }
        }

        return bytes.ToArray();
    }

    private static byte[] Zip(byte[] plain)
    {
        using var bytes = new MemoryStream();
        using (var zip = new GZipStream(bytes, CompressionLevel.Fastest))
        {
            zip.Write(plain);
        }

        return bytes.ToArray();
    }
}
