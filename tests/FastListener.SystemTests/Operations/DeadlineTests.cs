using System.Diagnostics;
using System.Text;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>
/// Clients that take their time. Each listener here has one deadline cut down to a second or two by its environment; what is checked is
/// what happens and to whom, not when to the millisecond.
/// </summary>
public sealed class DeadlineTests
{
    [Fact]
    public async Task A_head_that_is_never_finished_gets_408()
    {
        await using var server = await TunedListener.StartAsync(("Deadlines__HeadSeconds", "1"));
        using var client = RawClient.Connect(server.Port);
        client.Send("POST /post HTTP/1.1\r\nHost: te");
        AssertTimeout(client, "head_timeout");
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 22, 3, 1, 0, 200, 1 })] // the first bytes of a greeting
    public async Task A_tls_handshake_that_is_never_finished_is_ended(byte[] sent)
    {
        await using var server = await TunedListener.StartAsync(("Deadlines__TlsHandshakeSeconds", "1"));
        using var client = RawClient.Connect(server.Process.HttpsPort);
        client.Send(sent);
        Assert.True(client.HasReplyWithin(TimeSpan.FromSeconds(8)), "The handshake has another deadline than the one that was set: the default is 10 s.");
        Assert.Equal("", client.ReadToEnd());
    }

    [Fact]
    public async Task An_idle_connection_is_closed_without_a_word()
    {
        await using var server = await TunedListener.StartAsync(("Deadlines__IdleSeconds", "1"));
        using var silent = RawClient.Connect(server.Port);
        using var used = RawClient.Connect(server.Port);
        used.Send(Submit.RawRequest(server.Token, Repository.BreakpadDump));
        Assert.Equal(200, used.ReadReply().Status);
        Assert.Equal("", silent.ReadToEnd());
        Assert.Equal("", used.ReadToEnd());
    }

    [Fact]
    public async Task A_head_that_trickles_gets_408_however_steadily_it_does()
    {
        await using var server = await TunedListener.StartAsync(("Deadlines__HeadSeconds", "1"));
        using var client = RawClient.Connect(server.Port);
        client.Send("POST /post HTTP/1.1\r\nX-Slow: ");
        var waiting = Stopwatch.StartNew();
        while (!client.HasReplyWithin(TimeSpan.FromMilliseconds(100)))
        {
            client.Send("x");
            Assert.True(waiting.Elapsed < TimeSpan.FromSeconds(25), "A head that never ends is taken for ever.");
        }

        AssertTimeout(client, "head_timeout");
    }

    [Fact]
    public async Task A_request_has_a_deadline_of_its_own_where_the_operator_sets_one_and_a_token_another()
    {
        // Quick enough for the least rate, and never at an end.
        await using var server = await TunedListener.StartAsync(("Deadlines__RequestSeconds", "1"));
        using var client = RawClient.Connect(server.Port);
        using var patient = RawClient.Connect(server.Port);
        var token = await server.AddTokenAsync("game", "requestSeconds=0");
        client.Send($"POST /post?format=minidump&token={server.Token} HTTP/1.1\r\nHost: test\r\nContent-Length: 10000000\r\n\r\nMDMP");
        patient.Send($"POST /post?format=minidump&token={token} HTTP/1.1\r\nHost: test\r\nContent-Length: 10000000\r\n\r\nMDMP");
        var waiting = Stopwatch.StartNew();
        while (!client.HasReplyWithin(TimeSpan.FromMilliseconds(50)))
        {
            client.Send(new byte[1000]);
            patient.Send(new byte[1000]);
            Assert.True(waiting.Elapsed < TimeSpan.FromSeconds(25), "The request has no deadline.");
        }

        Assert.Equal("request_timeout", client.ReadReply().Header("FastListener-Reason"));
        Assert.False(patient.HasReplyWithin(TimeSpan.FromMilliseconds(10)), "The token's own deadline is none.");
    }

    [Theory]
    [InlineData(5)]
    [InlineData(8 * 1024 * 1024)]
    public async Task An_attachment_whose_chunks_never_end_is_given_up_holds_little_and_leaves_nothing(int length)
    {
        // What @backtrace/node does with attachments in memory: it writes all of it, and never ends the request.
        await using var server = await TunedListener.StartAsync(("Deadlines__BodyStallSeconds", "2"));
        var rxid = Submit.Dump(server.Port, server.Token, Repository.BreakpadDump).ReceiptOf();
        var before = ProcessFigures.AnonymousMemory(server.Process.Pid);
        using var client = RawClient.Connect(server.Port);
        client.Send($"POST /post?token={server.Token}&object={rxid}&attachment_name=a.txt HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n");
        client.Send(new byte[length]);
        client.Send("\r\n");
        Assert.InRange(ProcessFigures.AnonymousMemory(server.Process.Pid) - before, long.MinValue, 32L * 1024 * 1024);
        AssertTimeout(client, "body_timeout");
        Assert.Empty((await server.Data.ShowAsync(rxid)).Attachments);
        Assert.Empty(server.Data.StagedFiles());
    }

    [Fact]
    public async Task A_body_that_trickles_is_ended_once_its_grace_is_over()
    {
        await using var server = await TunedListener.StartAsync(("Deadlines__BodyGraceSeconds", "1"), ("Deadlines__MinBodyBytesPerSecond", "1000"));
        using var client = RawClient.Connect(server.Port);
        client.Send($"POST /post?format=minidump&token={server.Token} HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\nMDMP");
        var waiting = Stopwatch.StartNew();
        while (!client.HasReplyWithin(TimeSpan.FromMilliseconds(100)))
        {
            client.Send("x");
            Assert.True(waiting.Elapsed < TimeSpan.FromSeconds(25), "Ten bytes a second are taken for ever.");
        }

        AssertTimeout(client, "body_timeout");
    }

    [Fact]
    public async Task A_slow_but_honest_phone_is_waited_for()
    {
        // Three seconds of the listener's own clock, well beyond the grace, with more than the least rate.
        await using var server = await TunedListener.StartAsync(("Deadlines__BodyGraceSeconds", "1"), ("Deadlines__MinBodyBytesPerSecond", "240"));
        using var client = RawClient.Connect(server.Port);
        var dump = Submit.MadeDump(1, 20_000);
        client.Send(Encoding.ASCII.GetBytes($"POST /post?format=minidump&token={server.Token} HTTP/1.1\r\nHost: test\r\nContent-Length: {dump.Length}\r\n\r\n"));
        foreach (var (index, piece) in dump.Chunk(2000).Index())
        {
            var age = 0.3 * index;
            await Eventually.TrueAsync(
                () => AdminClient.Json(server.AdminPort, "/requests").EnumerateArray().Any(upload => upload.GetProperty("ageSeconds").GetDouble() >= age),
                $"the upload is {age} s old, and nobody has ended it");
            client.Send(piece);
        }

        var rxid = client.ReadReply().ReceiptOf();
        Assert.Equal(Repository.Sha256(dump), Repository.Sha256(await server.Data.ExportAsync(rxid)));
    }

    [Fact]
    public async Task A_phone_at_two_kilobytes_a_second_outlives_the_grace_that_ends_a_slower_neighbour()
    {
        // The least rate is the default one (240 bytes a second); only the minute of grace is cut down.
        await using var server = await TunedListener.StartAsync(("Deadlines__BodyGraceSeconds", "3"));
        using var phone = RawClient.Connect(server.Port);
        using var neighbour = RawClient.Connect(server.Port);
        var dump = Submit.MadeDump(1, 60_000);
        var head = $"POST /post?format=minidump&token={server.Token} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
        phone.Send(head);
        neighbour.Send(head + "4\r\nMDMP\r\n");
        var sent = 0;
        var left = 20; // pieces after the neighbour's end: two seconds more
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (left > 0)
        {
            Assert.True(sent + 200 <= dump.Length, "Half a minute has gone by, and nobody has ended a sender of 50 bytes a second.");
            phone.Send([.. "c8\r\n"u8, .. dump.AsSpan(sent, 200), .. "\r\n"u8]);
            sent += 200;
            left -= neighbour.HasReplyWithin(TimeSpan.Zero) || !neighbour.Send("5\r\nxxxxx\r\n") ? 1 : 0;
            Assert.False(phone.HasReplyWithin(TimeSpan.Zero), "A phone at two kilobytes a second was ended.");
            await pace.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal("body_timeout", neighbour.ReadReply().Header("FastListener-Reason"));
        phone.Send("0\r\n\r\n");
        var rxid = phone.ReadReply().ReceiptOf();
        Assert.Equal(Repository.Sha256(dump.AsSpan(0, sent)), Repository.Sha256(await server.Data.ExportAsync(rxid)));
    }

    [Fact]
    public async Task A_client_that_never_reads_its_replies_is_let_go()
    {
        await using var server = await TunedListener.StartAsync(("Deadlines__ReplySeconds", "1"));
        var before = ProcessFigures.Sockets(server.Process.Pid);
        using var client = RawClient.Connect(server.Port, receiveBuffer: 16 * 1024);
        var flood = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("GET /nonsense HTTP/1.1\r\nHost: test\r\n\r\n", 2000)));
        var sent = 0;
        while (client.Send(flood))
        {
            sent += flood.Length;
            Assert.True(sent < 512 * 1024 * 1024, "Half a gigabyte of requests was taken without one reply being read.");
        }

        await Eventually.TrueAsync(() => ProcessFigures.Sockets(server.Process.Pid) <= before, "the listener has hung up: the client has not");
        Assert.Equal(200, Submit.Dump(server.Port, server.Token, Repository.BreakpadDump).Status);
    }

    private static void AssertTimeout(RawClient client, string word)
    {
        var reply = client.ReadReply();
        reply.AssertReadableByEveryClient();
        Assert.Equal((408, word), (reply.Status, reply.Header("FastListener-Reason")));
        Assert.True(reply.SaysClose);
    }
}
