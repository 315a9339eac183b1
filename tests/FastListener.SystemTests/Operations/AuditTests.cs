using System.Text;
using FastListener.SystemTests.Harness;
using FastListener.SystemTests.Restart;

namespace FastListener.SystemTests.Operations;

/// <summary>The books of the built program: every request that reached the token check is in them once, with its outcome.</summary>
public sealed class AuditTests
{
    private const int DumpBytes = 5000;

    [Fact]
    public async Task Every_request_that_reached_the_token_check_is_booked_once_with_its_outcome_and_bytes()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxBodyBytes", "600000"));
        var token = await server.AddTokenAsync("game", "maxAttachmentBytes=1000", "degrade=without_attachments");
        await server.KillAndStartAsync(); // whatever was asked until the token was known is booked, or forgotten
        var dump = Submit.MadeDump(1, DumpBytes);
        var form = Submit.FormRequest(token, dump, "a.log", new byte[3000]);
        var formBytes = form.Length - (form.AsSpan().IndexOf("\r\n\r\n"u8) + 4);
        var before = await server.Data.BooksAsync();

        using (var client = RawClient.Connect(server.Port))
        {
            var rxid = Exchange(client, Submit.RawRequest(server.Token, dump), 200).Rxid;
            Exchange(client, Submit.AttachmentRequest(server.Token, rxid, "late", new byte[70]), 200);
            Exchange(client, form, 200);
            Exchange(client, Submit.RawRequest(server.Token, default), 400);
            Exchange(client, Submit.RawRequest(server.Token, "text, not a dump"u8), 400);
            Exchange(client, "OPTIONS /post HTTP/1.1\r\nHost: test\r\n\r\n"u8, 200); // no token check
            Exchange(client, "GET /nothing HTTP/1.1\r\nHost: test\r\n\r\n"u8, 404); // nor here
            Exchange(client, Submit.FormRequest("wrong", dump, "a.log", new byte[10]), 403);
        }

        Once(server.Port, Submit.RawRequest("wrong", dump), 403);
        Once(server.Port, Submit.AttachmentRequest(server.Token, "ffff", "late", new byte[70]), 404);
        Once(server.Port, Submit.RawRequest(server.Token, new byte[700_000]), 413);
        Once(server.Port, Chunked(server.Token, "not a length\r\n"), 400);
        foreach (var reset in new[] { true, false })
        {
            LeaveMidBody(server, reset, "Content-Length: 90000", Submit.MadeDump(2, 40_000));
            LeaveMidBody(server, reset, "Transfer-Encoding: chunked", [.. "ffff\r\n"u8, .. Submit.MadeDump(3, 30_000)]);
        }

        await Eventually.TrueAsync(async () => (await server.Data.BooksAsync()).Received == before.Received + 14, "all of them are booked");
        AssertBooks(await server.Data.BooksAsync());
        await server.KillAndStartAsync();
        AssertBooks(await server.Data.BooksAsync());
        Assert.Equal(0, await server.Process.StopAsync());
        AssertBooks(await server.Data.BooksAsync());

        void AssertBooks(Books books)
        {
            Outcome Of(string token, string word) =>
                Assert.Single(books.Outcomes, line => line.Word == word && (token.Length == 0 ? line.Token == "(no valid token)" : line.Token.StartsWith(token[..4], StringComparison.Ordinal) && line.Token.Length < 10));
            Assert.Equal((2, DumpBytes + 70, DumpBytes + 70), Figures(Of(server.Token, "accepted")));
            Assert.Equal((1, formBytes, DumpBytes), Figures(Of(token, "degraded")));
            var left = Of(server.Token, "broken_off");
            Assert.Equal((4, 0), (left.Requests, left.BytesKept));
            Assert.InRange(left.BytesIn, 140_012, 140_016); // the last byte of each may have been read, or not
            Assert.Equal(2, books.Count("invalid_token") - before.Count("invalid_token"));
            foreach (var word in new[] { "unknown_object", "not_a_minidump", "body_too_large", "malformed_chunk" })
            {
                Assert.Equal(1, Of(server.Token, word).Requests);
            }

            Assert.Equal(1, books.Count("empty_body") - before.Count("empty_body"));
            Assert.Equal(before.Received + 14, books.Received);
            Assert.Equal(
                (2, 1, 7, 4, 0),
                (books.Requests("stored"), books.Requests("degraded"), books.Requests("refused") - before.Requests("refused"), books.Requests("brokenOff"), books.Requests("unsettled")));
        }
    }

    [Fact]
    public async Task The_books_balance_at_any_moment_under_load_and_after_kill_9()
    {
        using var data = new DataDirectory();
        var load = new UploadLoad(await data.AddTokenAsync("game", "error:post"));
        for (var round = 0; round < 3; round++)
        {
            await using var listener = await ListenerProcess.StartAsync(data.Location);
            load.Start(listener.HttpPort, LoadShape.Of(round));
            for (var look = 0; look < 3; look++)
            {
                await load.AnswersAsync(LoadShape.Of(round).Answers(10));
                Once(listener.HttpPort, Submit.RawRequest("wrong", "MDMP"u8), 403);
                (await data.AuditAsync()).Expect();
            }

            await listener.KillAsync();
            await load.StopAsync();
            var books = await data.BooksAsync();
            Assert.InRange(books.Requests("stored"), load.AcknowledgedCount, long.MaxValue);
        }
    }

    [Fact]
    public async Task A_row_or_a_file_that_is_gone_shows()
    {
        var sqlite = Command.Find("sqlite3");
        using var data = new DataDirectory();
        var token = await data.AddTokenAsync("game");
        await using (var listener = await ListenerProcess.StartAsync(data.Location))
        {
            Submit.Dump(listener.HttpPort, token, Submit.MadeDump(1, DumpBytes)).ReceiptOf();
            Submit.Dump(listener.HttpPort, token, Submit.MadeDump(2, 3_000_000)).ReceiptOf();
            Assert.Equal(0, await listener.StopAsync());
        }

        var clean = (await data.AuditAsync()).Expect();
        Assert.Contains("requests  2 received = 2 stored + 0 degraded + 0 refused + 0 broken off\n", clean.Output, StringComparison.Ordinal);
        Assert.Contains("bytes     3005000 received = 3005000 stored + 0 degraded + 0 refused + 0 broken off\n", clean.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(token, clean.Output, StringComparison.Ordinal);

        var file = Directory.GetFiles(Path.Combine(data.Location, "files"), "*", SearchOption.AllDirectories).Single();
        File.Move(file, data.Scratch("file"));
        Assert.Equal(1, (await data.AuditAsync()).ExitCode);
        File.Move(data.Scratch("file"), file);
        (await data.AuditAsync("--since", "1h")).Expect();

        Assert.SkipWhen(sqlite is null, "sqlite3 is not installed.");
        (await Command.RunAsync(sqlite, [Path.Combine(data.Location, "catalog.db"), "DELETE FROM objects WHERE id=1"])).Expect();
        var gone = await data.AuditAsync();
        Assert.Equal(1, gone.ExitCode);
        Assert.Contains("accepted: 2 (3005000 bytes in, 3005000 kept) in the ledger, 1 (3000000 bytes in, 3000000 kept) in the catalog", gone.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_in_flight_is_listed_and_on_neither_side_and_refusals_are_there_at_once()
    {
        await using var server = await TunedListener.StartAsync();
        var socket = Assert.Single(Directory.GetFiles(server.Data.Location, "serve-*.sock*"));
        Assert.Equal("600\n", (await Command.RunAsync("stat", ["-c", "%a", socket])).Expect().Output);
        var dump = Submit.MadeDump(1, DumpBytes);
        using var client = RawClient.Connect(server.Port);
        var request = Submit.RawRequest(server.Token, dump);
        client.SendInTwo(request.AsSpan(0, request.Length - 1), request.Length - 2);
        for (var refused = 1; refused <= 3; refused++)
        {
            Once(server.Port, Submit.RawRequest("wrong", dump), 403);
            var books = await server.Data.BooksAsync();
            var upload = Assert.Single(books.InFlight!);
            Assert.StartsWith(server.Token[..4] + "…", upload.Token, StringComparison.Ordinal);
            Assert.Equal("body", upload.Stage);
            Assert.InRange(upload.WireBytes, DumpBytes - 2, DumpBytes - 1);
            Assert.Equal((refused, refused), (books.Received, books.Count("invalid_token")));
        }

        client.Send(request.AsSpan(request.Length - 1));
        Assert.Equal(200, client.ReadReply().Status);
        var after = await server.Data.BooksAsync();
        Assert.Empty(after.InFlight!);
        Assert.Equal((4, 1), (after.Received, after.Requests("stored")));

        await server.Process.KillAsync();
        Assert.True(File.Exists(socket));
        Assert.Null((await server.Data.BooksAsync()).InFlight);
        await server.KillAndStartAsync();
        Assert.NotNull((await server.Data.BooksAsync()).InFlight);
        Assert.NotEqual(socket, Assert.Single(Directory.GetFiles(server.Data.Location, "serve-*.sock*")));
        Assert.Equal(0, await server.Process.StopAsync());
        Assert.Empty(Directory.GetFiles(server.Data.Location, "serve-*.sock*"));
    }

    private static (long Requests, long BytesIn, long BytesKept) Figures(Outcome line) => (line.Requests, line.BytesIn, line.BytesKept);

    private static RawReply Exchange(RawClient client, ReadOnlySpan<byte> request, int status)
    {
        client.Send(request);
        var reply = client.ReadReply();
        Assert.True(reply.Status == status, reply.ToString());
        return reply;
    }

    private static void Once(int port, ReadOnlySpan<byte> request, int status)
    {
        using var client = RawClient.Connect(port);
        Exchange(client, request, status);
    }

    private static byte[] Chunked(string token, string body) =>
        Encoding.ASCII.GetBytes($"POST /post?format=minidump&token={token} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n{body}");

    private static void LeaveMidBody(TunedListener server, bool reset, string framing, byte[] some)
    {
        var head = Encoding.ASCII.GetBytes($"POST /post?format=minidump&token={server.Token} HTTP/1.1\r\nHost: test\r\n{framing}\r\n\r\n");
        using var client = RawClient.Connect(server.Port);
        client.SendInTwo([.. head, .. some, .. "x"u8], head.Length + some.Length); // all but the last byte has been read when this returns
        if (reset)
        {
            client.Reset();
        }
    }
}
