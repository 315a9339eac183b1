using System.Net.Sockets;
using System.Text.Json;
using FastListener.ConformanceTests.Cases;
using FastListener.ConformanceTests.Wire;
using FastListener.SystemTests.Harness;

namespace FastListener.ConformanceTests;

/// <summary>Sends one case in one way and compares all that comes back.</summary>
internal sealed class CaseRunner(int port)
{
    /// <summary>Asks a connection whether it still takes requests; its answer cannot be mistaken for a receipt.</summary>
    private static readonly byte[] s_marker = "OPTIONS /post HTTP/1.1\r\nHost: marker\r\n\r\n"u8.ToArray();

    private const string MarkerReply = "{\"response\":\"ok\"}";

    public async Task<Outcome> RunAsync(ConformanceCase test, Delivery delivery)
    {
        var replies = new List<RawReply>();
        try
        {
            using var client = await WireClient.ConnectAsync(port);
            await SendAndJudgeAsync(test, delivery, client, replies);
            return new Outcome(delivery, replies, null);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return new Outcome(delivery, replies, $"{fault.GetType().Name}: {fault.Message}");
        }
    }

    private async Task SendAndJudgeAsync(ConformanceCase test, Delivery delivery, WireClient client, List<RawReply> replies)
    {
        var bytes = test.Bytes();
        await SendAsync(test, delivery, client, bytes);
        if (test.Ends)
        {
            client.FinishSending();
        }

        client.ExpectNoBodies = bytes.All.AsSpan().StartsWith("HEAD "u8);
        foreach (var expected in test.Expected.Replies)
        {
            replies.Add(await ReadFinalAsync(client, test.Expected.Continue) ?? throw new InvalidDataException("The connection was closed without this reply."));
            Judge(expected, replies[^1]);
        }

        client.ExpectNoBodies = false;
        Assert.All(test.Expected.Headers, start => Assert.Contains(replies[^1].HeaderLines, line => line.StartsWith(start, StringComparison.Ordinal)));

        if (test.Expected.Fate == Fate.Waits)
        {
            // A round trip elsewhere: by then a listener that did not want to wait has said so.
            using var other = await WireClient.ConnectAsync(port);
            await other.SendAsync(s_marker);
            await other.TryReadAsync();
            Assert.True(client.IsSilent, "The listener did not wait for the rest of the request.");
            return;
        }

        await JudgeFateAsync(test, client, replies);
    }

    private static async Task SendAsync(ConformanceCase test, Delivery delivery, WireClient client, CaseBytes bytes)
    {
        var sent = 0;
        foreach (var cut in delivery.Cuts)
        {
            var taken = await client.SendAndSeeTakenAsync(bytes.All.AsMemory(sent, cut - sent));
            sent = cut;
            if (test.Expected.Continue && delivery.Cuts.Length == 1 && cut == bytes.HeadEnd)
            {
                var interim = await client.TryReadAsync();
                Assert.Equal("HTTP/1.1 100 Continue", interim?.StatusLine);
                Assert.Empty(interim!.HeaderLines);
            }
            else if (test.Expected.Replies is [{ Stores: true }, ..] && cut < bytes.FirstMessage && !test.Expected.Continue)
            {
                Assert.True(taken && client.IsSilent, $"The listener did not wait for the rest of a valid request after {cut} bytes.");
            }
        }

        await client.SendAsync(bytes.All.AsMemory(sent));
    }

    private static async Task<RawReply?> ReadFinalAsync(WireClient client, bool interimAllowed)
    {
        while (await client.TryReadAsync() is { } reply)
        {
            if (reply.Status >= 200)
            {
                return reply;
            }

            Assert.True(interimAllowed, $"An interim reply that nobody asked for: {reply.StatusLine}");
        }

        return null;
    }

    /// <summary>Every reply is parsed as strictly as the strictest client does.</summary>
    private static void Judge(ExpectedReply expected, RawReply reply)
    {
        var word = reply.Header("FastListener-Reason") ?? (reply.Body.Contains("\"_rxid\"", StringComparison.Ordinal) ? "stored" : "ok");
        Assert.True(
            reply.Status == expected.Status && (expected.Word == "*" || word == expected.Word),
            $"Expected {expected.Status} {expected.Word}, got {reply.Status} {word}: {reply.Body}");
        if (reply.StatusLine.Length > 0 && reply.Body.Length > 0)
        {
            reply.AssertReadableByEveryClient();
            using var json = JsonDocument.Parse(reply.Body);
            if (reply.Status >= 400)
            {
                var error = json.RootElement.GetProperty("error");
                Assert.Equal(["error"], json.RootElement.EnumerateObject().Select(pair => pair.Name));
                Assert.True(error.GetProperty("code").TryGetInt32(out _), "error.code is no integer.");
                Assert.NotEqual("", error.GetProperty("message").GetString());
                Assert.Matches("^[a-z][a-z0-9_]*$", word);
            }
        }

        Assert.Single(reply.HeaderLines, line => line.StartsWith("Date: ", StringComparison.Ordinal));
        Assert.True(reply.Status != 405 || reply.Header("Allow") is not null, "405 without Allow (RFC 9110 15.5.6).");
    }

    /// <summary>What follows on the connection is either answered as the request it is, or never.</summary>
    private static async Task JudgeFateAsync(ConformanceCase test, WireClient client, List<RawReply> replies)
    {
        var says = replies.Count > 0 ? replies[^1].Header("Connection") : null;
        if (test.Ends)
        {
            await AssertEndAsync(client);
            return;
        }

        await client.SendAsync(s_marker);
        if (test.Expected.Fate == Fate.Kept || (test.Expected.Fate == Fate.Either && says != "close"))
        {
            Assert.NotEqual("close", says);
            var answer = await client.TryReadAsync();
            Assert.True(answer is { Status: 200, Body: MarkerReply }, $"The connection was not kept; to the next request came: {answer}");
        }
        else if (replies.Count > 0)
        {
            Assert.Equal("close", says);
        }

        client.FinishSending();
        await AssertEndAsync(client);
    }

    private static async Task AssertEndAsync(WireClient client)
    {
        try
        {
            var more = await client.TryReadAsync();
            Assert.True(more is null, $"One reply too many: {more}");
        }
        catch (SocketException)
        {
            // Reset: closed, too.
        }
    }
}
