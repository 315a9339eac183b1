using System.Net;
using System.Text;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Limits;

/// <summary>Each limit refuses what is past it with a word of its own, takes what is within it, and is none when it is 0.</summary>
public sealed class LimitTests
{
    [Theory]
    [InlineData("MaxBodyBytes", "body_too_large")]
    [InlineData("MaxWireBytes", "wire_too_large")]
    public async Task A_body_may_be_as_large_as_its_limit_and_no_larger(string limit, string word)
    {
        await using var server = await TunedListener.StartAsync(($"Limits__{limit}", "100000"));
        Assert.Equal(200, Submit.Dump(server.Port, server.Token, Submit.MadeDump(1, 100_000)).Status);
        AssertRefused(Submit.Dump(server.Port, server.Token, Submit.MadeDump(1, 100_001)), 413, word);

        // In chunks nobody knows beforehand.
        using var client = RawClient.Connect(server.Port);
        client.Send($"POST /post?format=minidump&token={server.Token} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n");
        client.Send(Submit.MadeDump(1, 100_001));
        AssertRefused(client.ReadReply(), 413, word);
        Assert.Single(await server.Data.ListAsync());
        Assert.Empty(server.Data.StagedFiles());
    }

    [Fact]
    public async Task What_the_wire_carries_is_counted_with_its_framing()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxWireBytes", "1000"));
        using var client = RawClient.Connect(server.Port);
        var chunks = string.Concat(Enumerable.Repeat("1\r\nx\r\n", 300));
        client.Send($"POST /post?format=btt&token={server.Token} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
        AssertRefused(client.ReadReply(), 413, "wire_too_large");
    }

    [Fact]
    public async Task A_token_has_limits_of_its_own_and_they_change_without_a_restart()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxBodyBytes", "50000"));
        var strict = await server.AddTokenAsync("game", "maxBodyBytes=1000");
        var free = await server.AddTokenAsync("game", "maxBodyBytes=0");
        RawReply Send(string token, int length) => Submit.Dump(server.Port, token, Submit.MadeDump(1, length));

        AssertRefused(Send(strict, 1001), 413, "body_too_large");
        AssertRefused(Send(server.Token, 50_001), 413, "body_too_large");
        Assert.Equal(200, Send(free, 3_000_000).Status);

        await server.Data.SetLimitsAsync(strict, "maxBodyBytes=2000");
        await Eventually.TrueAsync(() => Send(strict, 2000).Status == 200, "The raised limit holds");
        AssertRefused(Send(strict, 2001), 413, "body_too_large");
        await server.Data.SetLimitsAsync(strict, "maxBodyBytes=");
        await Eventually.TrueAsync(() => Send(strict, 50_000).Status == 200, "The setting holds again");
        AssertRefused(Send(strict, 50_001), 413, "body_too_large");
    }

    [Fact]
    public async Task A_limit_that_nobody_knows_leaves_the_tokens_as_they_were()
    {
        await using var server = await TunedListener.StartAsync();
        var file = Path.Combine(server.Data.Location, "tokens.json");
        var good = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            file, good.Replace("\"enabled\"", "\"limits\": { \"maxBodyByte\": 1 }, \"enabled\"", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => server.Process.StandardError.Contains("unknown limit \"maxBodyByte\"", StringComparison.Ordinal), "The fault is named");
        Assert.Equal(200, Submit.Dump(server.Port, server.Token, Repository.BreakpadDump).Status);
    }

    [Fact]
    public async Task Attributes_may_be_as_many_as_their_limit()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxAttributes", "10"));
        string Query(int count) => string.Concat(Enumerable.Range(0, count).Select(index => $"&a{index}={index}"));
        Assert.Equal(200, Submit.Dump(server.Port, server.Token, Repository.BreakpadDump, Query(10)).Status);
        AssertRefused(Submit.Dump(server.Port, server.Token, Repository.BreakpadDump, Query(11)), 413, "too_many_attributes");

        // A report that names more is kept whole; the further ones are not searched by.
        using var client = RawClient.Connect(server.Port);
        var report = Encoding.ASCII.GetBytes($"{{\"attributes\":{{{string.Join(',', Enumerable.Range(0, 20).Select(index => $"\"a{index}\":{index}"))}}}}}");
        client.Send([.. Encoding.ASCII.GetBytes($"POST /post?format=json&token={server.Token} HTTP/1.1\r\nHost: test\r\nContent-Length: {report.Length}\r\n\r\n"), .. report]);
        var stored = await server.Data.ShowAsync(client.ReadReply().ReceiptOf());
        Assert.Equal(10, stored.Attributes.Count);
        Assert.Single(stored.Notes, note => note.Contains("too many", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_object_has_as_many_attachments_as_it_may_whenever_they_come()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxAttachments", "2"));
        using var client = RawClient.Connect(server.Port);
        client.Send(Submit.FormRequest(server.Token, Repository.BreakpadDump, "a.txt", "one"u8));
        var rxid = client.ReadReply().ReceiptOf();
        client.Send(Submit.AttachmentRequest(server.Token, rxid, "b.txt", "two"u8));
        Assert.Equal(200, client.ReadReply().Status);
        client.Send(Submit.AttachmentRequest(server.Token, rxid, "c.txt", "three"u8));
        AssertRefused(client.ReadReply(), 413, "too_many_attachments");
        Assert.Equal(["a.txt", "b.txt"], (await server.Data.ShowAsync(rxid)).Attachments.Select(item => item.Name));
        await server.Data.AssertSoundAsync();
    }

    [Fact]
    public async Task What_a_form_says_about_its_parts_is_refused_as_soon_as_it_is_more_than_the_store_keeps()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxPartHeadBytes", "1048576"));
        using var client = RawClient.Connect(server.Port);
        var name = new string('n', 1_000_000);
        client.Send($"POST /post?format=minidump&token={server.Token} HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 900000000\r\n\r\n");
        client.Send("--B\r\nContent-Disposition: form-data; name=\"upload_file\"; filename=\"a.dmp\"\r\n\r\nMDMP\r\n");
        for (var part = 0; part < 68; part++) // 68 MB of names: the answer comes while more than 800 MB are still to be sent
        {
            client.Send($"--B\r\nContent-Disposition: form-data; name=\"attachment_{part}\"; filename=\"{name}\"\r\n\r\nx\r\n");
        }

        AssertRefused(client.ReadReply(), 413, "too_much_metadata");
        Assert.Empty(await server.Data.ListAsync());
        Assert.Empty(server.Data.StagedFiles());

        using var modest = RawClient.Connect(server.Port);
        modest.Send(Submit.FormRequest(server.Token, Submit.MadeDump(1, 2000), name[..500_000], "x"u8));
        Assert.Equal(name[..500_000], (await server.Data.ShowAsync(modest.ReadReply().ReceiptOf())).Attachments.Single().Name);
        await server.Data.AssertSoundAsync();
    }

    [Fact]
    public async Task An_attachment_may_be_as_large_as_its_limit_and_a_dump_larger()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxAttachmentBytes", "1000"));
        using var client = RawClient.Connect(server.Port);
        var dump = Submit.MadeDump(1, 200_000);
        client.Send(Submit.FormRequest(server.Token, dump, "a.txt", new byte[1000]));
        Assert.Equal(Repository.Sha256(dump), Repository.Sha256(await server.Data.ExportAsync(client.ReadReply().ReceiptOf())));
        client.Send(Submit.FormRequest(server.Token, dump, "a.txt", new byte[1001]));
        AssertRefused(client.ReadReply(), 413, "attachment_too_large");
    }

    [Fact]
    public async Task A_form_has_as_many_parts_as_it_may_those_of_a_form_inside_it_included()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxParts", "10"));
        Assert.Equal(200, Send(outer: 5, inner: 5).Status);
        AssertRefused(Send(outer: 6, inner: 5), 413, "too_many_parts");
        AssertRefused(Send(outer: 1, inner: 10), 413, "too_many_parts");
        Assert.Single(await server.Data.ListAsync());

        RawReply Send(int outer, int inner) => SendForm(server, $"&token={server.Token}", [
            .. Fields("o", outer - 1), .. "--o\r\nContent-Disposition: form-data; name=\"upload_file\"; filename=\"a\"\r\n\r\n"u8,
            .. Fields("i", inner - 1), .. "--i\r\nContent-Disposition: form-data; name=\"upload_file\"; filename=\"a\"\r\n\r\nMDMP\r\n--i--\r\n\r\n--o--\r\n"u8]);
        static byte[] Fields(string boundary, int count) => Encoding.ASCII.GetBytes(string.Concat(
            Enumerable.Repeat($"--{boundary}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n", count)));
    }

    [Fact]
    public async Task What_is_noticed_at_every_part_is_noted_once()
    {
        await using var server = await TunedListener.StartAsync();
        var reply = SendForm(server, $"&token={server.Token}", [
            .. Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(
                "--o\r\nContent-Disposition: form-data; name=\"upload_file\"; filename=\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\nMDMP\r\n", 20))),
            .. "--o--\r\n"u8]);
        Assert.Equal(
            ["a part had a Content-Transfer-Encoding; its bytes are kept as sent", "a further report was sent; it is kept as an attachment"],
            (await server.Data.ShowAsync(reply.ReceiptOf())).Notes);
    }

    [Fact]
    public async Task Who_has_shown_no_token_may_name_files_within_a_mebibyte()
    {
        await using var server = await TunedListener.StartAsync();
        Assert.Equal(200, Send(files: 30, token: false).Status);
        Assert.Equal(200, Send(files: 100, token: true).Status);
        AssertRefused(Send(files: 100, token: false), 403, "token_too_late");

        RawReply Send(int files, bool token) => SendForm(server, token ? $"&token={server.Token}" : "", [
            .. Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(
                $"--o\r\nContent-Disposition: form-data; name=\"attachment_a\"; filename=\"{new string('x', 15_000)}\"\r\n\r\n\r\n", files))),
            .. "--o\r\nContent-Disposition: form-data; name=\"upload_file\"; filename=\"a\"\r\n\r\nMDMP\r\n"u8,
            .. Encoding.ASCII.GetBytes($"--o\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n{server.Token}\r\n--o--\r\n")]);
    }

    [Fact]
    public async Task Switched_off_no_limit_is_left()
    {
        await using var server = await TunedListener.StartAsync(
            ("Limits__MaxBodyBytes", "0"), ("Limits__MaxWireBytes", "0"), ("Limits__MaxAttachments", "0"), ("Limits__MaxAttachmentBytes", "0"),
            ("Limits__MaxAttributes", "0"), ("Limits__MaxUploads", "0"), ("Limits__MaxUploadsPerToken", "0"), ("Limits__BytesPerSecondPerToken", "0"),
            ("Limits__MaxConnectionsPerAddress", "0"), ("Deadlines__RequestSeconds", "0"), ("Deadlines__MinBodyBytesPerSecond", "0"));
        var dump = Submit.MadeDump(1, 5_000_000);
        using var client = RawClient.Connect(server.Port);
        client.Send(Submit.FormRequest(server.Token, dump, "a.bin", dump));
        var stored = await server.Data.ShowAsync(client.ReadReply().ReceiptOf());
        Assert.Equal((dump.Length, dump.Length), (stored.Report.Size, stored.Attachments.Single().Size));
        Assert.Null(stored.Degraded);
    }

    [Fact]
    public async Task One_address_has_as_many_connections_as_it_may()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxConnectionsPerAddress", "2"));
        using var first = RawClient.Connect(server.Port);
        first.Send(Submit.RawRequest(server.Token, Repository.BreakpadDump));
        Assert.Equal(200, first.ReadReply().Status);
        using (var second = RawClient.Connect(server.Port))
        {
            second.Send(Submit.RawRequest(server.Token, Repository.BreakpadDump));
            Assert.Equal(200, second.ReadReply().Status);
            using var third = RawClient.Connect(server.Port);
            AssertRefused(third.ReadReply(), 429, "too_many_connections_of_address");
            using var elsewhere = RawClient.Connect(server.Port, IPAddress.Parse("127.0.0.2"));
            elsewhere.Send(Submit.RawRequest(server.Token, Repository.BreakpadDump));
            Assert.Equal(200, elsewhere.ReadReply().Status);
        }

        await Eventually.TrueAsync(
            () =>
            {
                using var next = RawClient.Connect(server.Port);
                next.Send(Submit.RawRequest(server.Token, Repository.BreakpadDump));
                return next.TryReadReply() is { Status: 200 };
            },
            "A connection that has ended makes room");
    }

    [Fact]
    public async Task A_connection_too_many_waits_for_another_to_end()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxConnections", "1"));
        using var first = RawClient.Connect(server.Port);
        first.Send($"POST /post?format=minidump&token={server.Token} HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n");
        Assert.Equal(100, first.ReadHead()!.Status); // it has the place
        using var second = RawClient.Connect(server.Port);
        second.Send(Submit.RawRequest(server.Token, Repository.BreakpadDump));
        Assert.False(second.HasReplyWithin(TimeSpan.FromMilliseconds(300)), "It is served beyond the limit.");

        first.Send("MDMP");
        first.Send(new byte[96]);
        Assert.Equal(200, first.ReadReply().Status);
        Assert.Equal(200, second.ReadReply().Status); // the first one, idle now, gave up its place
        Assert.Equal("", first.ReadToEnd());
    }

    [Fact]
    public async Task A_connection_that_waits_in_vain_is_told_so()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxConnections", "1"), ("Overload__MaxWaitSeconds", "1"), ("Overload__DegradeAfterSeconds", "0"));
        using var first = RawClient.Connect(server.Port);
        first.Send($"POST /post?format=minidump&token={server.Token} HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n");
        Assert.Equal(100, first.ReadHead()!.Status); // it has the place
        using var second = RawClient.Connect(server.Port);
        AssertRefused(second.ReadReply(), 503, "too_many_connections");
        first.Send("MDMP");
        first.Send(new byte[96]);
        Assert.Equal(200, first.ReadReply().Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_upload_too_many_waits_for_another_to_end_and_is_refused_when_none_does(bool ofToken)
    {
        await using var server = await TunedListener.StartAsync(
            ("Overload__MaxWaitSeconds", "2"), ("Overload__DegradeAfterSeconds", "0"), ("Limits__MaxUploads", ofToken ? "0" : "1"));
        var token = ofToken ? await server.AddTokenAsync("game", "maxUploads=1") : server.Token;
        for (var round = 0; round < 2; round++)
        {
            using var first = RawClient.Connect(server.Port);
            first.Send($"POST /post?format=minidump&token={token} HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n");
            Assert.Equal(100, first.ReadHead()!.Status);
            using var second = RawClient.Connect(server.Port);
            second.Send(Submit.RawRequest(token, Repository.BreakpadDump));
            if (round == 0)
            {
                Assert.False(second.HasReplyWithin(TimeSpan.FromMilliseconds(300)), "It is taken beyond the limit.");
                first.Send([.. "MDMP"u8, .. new byte[96]]);
                Assert.Equal(200, first.ReadReply().Status);
                Assert.Equal(200, second.ReadReply().Status);
            }
            else
            {
                AssertRefused(second.ReadReply(), ofToken ? 429 : 503, ofToken ? "too_many_uploads_of_token" : "too_many_uploads");
                if (ofToken)
                {
                    Assert.Equal(200, Submit.Dump(server.Port, server.Token, Repository.BreakpadDump).Status);
                }
            }
        }
    }

    private static RawReply SendForm(TunedListener server, string query, byte[] body)
    {
        using var client = RawClient.Connect(server.Port);
        client.Send([
            .. Encoding.ASCII.GetBytes(
                $"POST /post?format=minidump{query} HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary=o\r\nContent-Length: {body.Length}\r\n\r\n"),
            .. body]);
        return client.ReadReply();
    }

    internal static void AssertRefused(RawReply reply, int status, string word)
    {
        reply.AssertReadableByEveryClient();
        Assert.Equal((status, word), (reply.Status, reply.Header("FastListener-Reason")));
        if (status is 429 or 503)
        {
            Assert.Matches("^[0-9]+$", reply.Header("Retry-After"));
        }
    }
}
