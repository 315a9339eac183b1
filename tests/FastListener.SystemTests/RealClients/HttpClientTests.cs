using System.Net.Http.Headers;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.RealClients;

/// <summary>.NET's HttpClient with its MultipartFormDataContent, as the C# SDK uses it.</summary>
public sealed class HttpClientTests(ListenerFixture server) : IClassFixture<ListenerFixture>
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task A_form_of_HttpClient_with_names_beyond_ascii_arrives_whole(bool tls, bool chunked)
    {
        using var client = Client();
        using var form = new MultipartFormDataContent("----------" + Guid.NewGuid().ToString("N"));
        form.Add(new StringContent("1.0"), "version");
        form.Add(new ByteArrayContent(Repository.BreakpadDump), "upload_file", "upload_file.dmp");
        form.Add(new ByteArrayContent([1, 2, 3]), "attachment_lög.txt", "lög.txt");
        using var request = new HttpRequestMessage(HttpMethod.Post, Url(tls) + "/post?format=minidump&token=" + server.ErrorToken) { Content = form };
        request.Headers.TransferEncodingChunked = chunked;

        using var reply = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)reply.StatusCode);
        var rxid = new RawReply(200, "", []) { Body = await reply.Content.ReadAsStringAsync(TestContext.Current.CancellationToken) }.Rxid;

        var stored = await server.Data.ShowAsync(rxid);
        Assert.Equal("1.0", stored.Attributes["version"]);
        Assert.Equal(["version"], stored.Attributes.Keys);
        Assert.Equal(["lög.txt"], stored.Attachments.Select(payload => payload.Name));
        Assert.Equal(Repository.Sha256(Repository.BreakpadDump), Repository.Sha256(await server.Data.ExportAsync(rxid)));
        Assert.Equal([1, 2, 3], await server.Data.ExportAsync(rxid, "lög.txt"));
    }

    [Fact]
    public async Task HttpClient_with_expect_continue_and_a_wrong_token_learns_it_before_it_sends()
    {
        using var client = Client();
        using var content = new ByteArrayContent(new byte[8 * 1024 * 1024]);
        using var request = new HttpRequestMessage(HttpMethod.Post, Url(false) + "/post?format=minidump&token=wrong") { Content = content };
        request.Headers.ExpectContinue = true;
        using var reply = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(403, (int)reply.StatusCode);
        Assert.Equal(
            "{\"error\":{\"code\":6,\"message\":\"invalid token\"}}",
            await reply.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_json_report_goes_through_as_the_sdk_sends_it()
    {
        using var client = Client();
        const string Json = "{\"uuid\":\"8c1d4f7e-0000-4000-8000-000000000001\",\"lang\":\"csharp\",\"attributes\":{\"application\":\"gäme\"}}";
        using var content = new StringContent(Json, new MediaTypeHeaderValue("application/json"));
        using var reply = await client.PostAsync(new Uri($"{Url(true)}/acme/{server.ErrorToken}/json"), content, TestContext.Current.CancellationToken);
        var rxid = new RawReply(200, "", []) { Body = await reply.Content.ReadAsStringAsync(TestContext.Current.CancellationToken) }.Rxid;
        Assert.Equal(Json, System.Text.Encoding.UTF8.GetString(await server.Data.ExportAsync(rxid)));
        Assert.Equal("gäme", (await server.Data.ShowAsync(rxid)).Attributes["application"]);
    }

    private static HttpClient Client() => new(new SocketsHttpHandler
    {
        Expect100ContinueTimeout = TimeSpan.FromSeconds(20),
#pragma warning disable CA5359 // The listener on loopback is the one that this test started.
        SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true },
#pragma warning restore CA5359
    });

    private string Url(bool tls) => tls ? $"https://127.0.0.1:{server.HttpsPort}" : $"http://127.0.0.1:{server.HttpPort}";
}
