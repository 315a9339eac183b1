using System.Globalization;
using System.Text;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>What one connection may do, and when which bytes go out on it.</summary>
public sealed class ConnectionTests(ListenerFixture server) : IClassFixture<ListenerFixture>
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Pipelined_submissions_are_answered_in_their_order()
    {
        using var client = RawClient.Connect(server.HttpPort);
        var requests = Enumerable.Range(0, 20)
            .SelectMany(index => Submit.RawRequest(server.ErrorToken, Submit.MadeDump(index, 100 + (index * 997)), $"&index={index}"))
            .ToArray();
        var sending = Task.Run(() => client.Send(requests), TestContext.Current.CancellationToken);
        var receipts = Enumerable.Range(0, 20).Select(_ => client.ReadReply().ReceiptOf()).ToList();
        Assert.True(await sending);

        var stored = (await server.Data.ListAsync()).ToDictionary(item => item.Rxid);
        Assert.Equal(
            Enumerable.Range(0, 20).Select(index => index.ToString(CultureInfo.InvariantCulture)),
            receipts.Select(rxid => stored[rxid].Attributes["index"]));
        Assert.Equal(Repository.Sha256(Submit.MadeDump(19, 100 + (19 * 997))), Repository.Sha256(await server.Data.ExportAsync(receipts[19])));
    }

    [Fact]
    public void A_kept_connection_takes_submissions_refusals_and_submissions_again()
    {
        using var client = RawClient.Connect(server.HttpPort);
        for (var round = 0; round < 3; round++)
        {
            client.Send(Submit.RawRequest(server.ErrorToken, Repository.BreakpadDump));
            Assert.Equal(200, client.ReadReply().Status);
            client.Send("GET /nonsense HTTP/1.1\r\nHost: test\r\n\r\n");
            Assert.Equal(404, client.ReadReply().Status);
        }
    }

    [Fact]
    public void Both_ports_take_the_same_submission()
    {
        using var client = RawClient.ConnectTls(server.HttpsPort);
        foreach (var _ in Enumerable.Range(0, 2))
        {
            client.Send(Submit.RawRequest(server.ErrorToken, Repository.CrashpadDump));
            var reply = client.ReadReply();
            reply.AssertReadableByEveryClient();
            Assert.Equal(200, reply.Status);
        }
    }

    [Fact]
    public void A_good_token_gets_100_continue_before_the_body()
    {
        using var client = RawClient.Connect(server.HttpPort);
        var request = Submit.RawRequest(server.ErrorToken, Repository.BreakpadDump, head: "Expect: 100-continue\r\n");
        var head = request.Length - Repository.BreakpadDump.Length;
        client.Send(request.AsSpan(0, head));
        var interim = client.ReadHead();
        Assert.Equal("HTTP/1.1 100 Continue", interim!.StatusLine);
        Assert.Empty(interim.HeaderLines);
        client.Send(request.AsSpan(head));
        var reply = client.ReadReply();
        Assert.Equal(200, reply.Status);
        Assert.Empty(reply.Interim);
    }

    [Fact]
    public void A_body_that_comes_without_waiting_need_not_be_asked_for()
    {
        using var client = RawClient.Connect(server.HttpPort);
        client.Send(Submit.RawRequest(server.ErrorToken, Repository.BreakpadDump, head: "Expect: 100-continue\r\n"));
        var reply = client.ReadReply();
        Assert.Equal(200, reply.Status);
        Assert.True(reply.Interim.Count <= 1, "100 Continue came more than once.");
        client.Send(Submit.RawRequest(server.ErrorToken, Repository.BreakpadDump));
        Assert.Equal(200, client.ReadReply().Status);
    }

    [Theory]
    [InlineData("Expect: 100-continue\r\n")]
    [InlineData("")]
    public void A_bad_token_in_the_head_gets_its_403_before_any_body(string expect)
    {
        using var client = RawClient.Connect(server.HttpPort);
        client.Send($"POST /post?format=minidump&token=wrong HTTP/1.1\r\nHost: test\r\n{expect}Content-Length: 50000000\r\n\r\n");
        Assert.True(client.HasReplyWithin(Soon), "No answer without the body.");
        var reply = client.ReadReply();
        Assert.Equal(403, reply.Status);
        Assert.Empty(reply.Interim);
        Assert.Equal("{\"error\":{\"code\":6,\"message\":\"invalid token\"}}", reply.Body);
    }

    [Theory]
    [InlineData("POST /nonsense?token={0}", 404)]
    [InlineData("PUT /post?format=minidump&token={0}", 405)]
    [InlineData("POST /post?token={0}&object=fffffff0&attachment_name=a", 404)]
    [InlineData("POST /post?format=symbols&token={0}", 403)]
    public void What_the_head_alone_forbids_is_refused_before_any_body(string line, int status)
    {
        using var client = RawClient.Connect(server.HttpPort);
        client.Send(string.Format(CultureInfo.InvariantCulture, line, server.ErrorToken)
            + " HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 50000000\r\n\r\n");
        Assert.True(client.HasReplyWithin(Soon), "No answer without the body.");
        var reply = client.ReadReply();
        Assert.Equal(status, reply.Status);
        Assert.Empty(reply.Interim);
    }

    [Fact]
    public void A_form_without_a_token_in_its_head_is_asked_for()
    {
        using var client = RawClient.Connect(server.HttpPort);
        client.Send("POST /post HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 10\r\n\r\n");
        Assert.Equal(100, client.ReadHead()!.Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Transfer-Encoding: chunked\r\n")]
    public void Http_1_0_never_gets_an_interim_reply(string coding)
    {
        using var client = RawClient.Connect(server.HttpPort);
        var length = coding.Length == 0 ? "Content-Length: 8\r\n" : coding;
        client.Send($"POST /post?format=minidump&token={server.ErrorToken} HTTP/1.0\r\nExpect: 100-continue\r\n{length}\r\n");
        Assert.False(client.HasReplyWithin(TimeSpan.FromMilliseconds(200)), "Something came before the body.");
        client.Send(coding.Length == 0 ? "MDMP\x93\xA7\0\0" : "8\r\nMDMP\x93\xA7\0\0\r\n0\r\n\r\n");
        var reply = client.ReadReply();
        Assert.Equal(200, reply.Status);
        Assert.Empty(reply.Interim);
        Assert.Equal("", client.ReadToEnd());
    }

    [Fact]
    public void A_client_that_sends_on_after_its_refusal_still_reads_it()
    {
        using var client = RawClient.Connect(server.HttpPort);
        var body = new byte[24 * 1024 * 1024];
        Assert.True(client.Send(Submit.RawRequest("wrong", body)), "The listener broke the connection instead of draining it.");
        Assert.Equal(403, client.ReadReply().Status);
    }

    [Fact]
    public void Head_gets_the_fields_of_a_refusal_without_its_body()
    {
        using var client = RawClient.Connect(server.HttpPort);
        client.Send("HEAD /post HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        var head = client.ReadHead();
        Assert.Equal(405, head!.Status);
        Assert.Equal("", client.ReadToEnd());
    }

    [Fact]
    public void An_early_reply_does_not_make_the_rest_of_the_body_a_request()
    {
        using var client = RawClient.Connect(server.HttpPort);
        var inner = Encoding.Latin1.GetString(Submit.RawRequest(server.ErrorToken, Repository.BreakpadDump, "&smuggled=1"));
        client.Send($"POST /post?format=minidump&token=wrong HTTP/1.1\r\nHost: test\r\nContent-Length: {inner.Length}\r\n\r\n{inner}");
        Assert.Equal(403, client.ReadReply().Status);
        client.FinishSending();
        Assert.Equal("", client.ReadToEnd());
    }
}
