using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FastListener.Tests.Tokens;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Xunit;

namespace FastListener.Tests.Cli;

public sealed class SendCommandTests : IDisposable
{
    private const string Accepted = """{"response":"ok","_rxid":"56000000-8be7-5806-0000-000000000000"}""";
    private readonly DataDirectory _files = new();
    private readonly string _dump;

    public SendCommandTests()
    {
        _dump = _files.File("crash.dmp");
        File.WriteAllBytes(_dump, [.. "MDMP"u8, .. RandomNumberGenerator.GetBytes(300_000)]);
    }

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task A_bare_report_is_sent_raw()
    {
        await using var listener = await Listener.StartAsync(200, Accepted);
        var run = await CommandRun.Of("send", _dump, "--url", listener.Url + "/post?format=minidump&token=t");

        Assert.Equal((0, Accepted + "\n", ""), (run.Exit, run.Out, run.Error));
        var request = Assert.Single(listener.Requests);
        Assert.Equal("/post?format=minidump&token=t", request.Target);
        Assert.Equal("application/octet-stream", request.ContentType);
        Assert.Equal(File.ReadAllBytes(_dump), request.Body);
    }

    [Fact]
    public async Task Attributes_and_attachments_make_a_form()
    {
        var log = _files.File("app \"é\".log");
        File.WriteAllText(log, "one line");
        await using var listener = await Listener.StartAsync(200, Accepted);
        var run = await CommandRun.Of(
            "send", _dump, "--url", listener.Url + "/", "--attr", "version=1=2", "--attr", "empty=", "--attach", log, "--attach", _dump);

        Assert.Equal(0, run.Exit);
        var parts = Assert.Single(listener.Requests).Parts;
        Assert.Equal(
            ["version", "empty", "upload_file_minidump", "attachment_app %22é%22.log", "attachment_crash.dmp"], parts.Select(part => part.Name));
        Assert.Equal([null, null, "crash.dmp", "app %22é%22.log", "crash.dmp"], parts.Select(part => part.FileName));
        Assert.Equal("1=2", Encoding.UTF8.GetString(parts[0].Bytes));
        Assert.Empty(parts[1].Bytes);
        Assert.Equal(File.ReadAllBytes(_dump), parts[2].Bytes);
        Assert.Equal("one line", Encoding.UTF8.GetString(parts[3].Bytes));
        Assert.Equal(File.ReadAllBytes(_dump), parts[4].Bytes);
    }

    [Theory]
    [InlineData(403, """{"error":{"code":6,"message":"invalid token"}}""")]
    [InlineData(200, """{"error":{"code":6,"message":"invalid token"}}""")]
    [InlineData(200, "<html>\u001b[2J</html>")]
    [InlineData(201, Accepted)]
    [InlineData(302, "")]
    public async Task Anything_but_a_200_that_says_ok_exits_1_and_is_printed(int status, string body)
    {
        await using var listener = await Listener.StartAsync(status, body);
        var run = await CommandRun.Of("send", _dump, "--url", listener.Url + "/post");

        Assert.Equal(1, run.Exit);
        Assert.Equal(body.Replace("\u001b", "\\x1b", StringComparison.Ordinal) + "\n", run.Out);
        Assert.Equal($"The listener did not accept it: status {status}.\n", run.Error);
    }

    [Fact]
    public async Task The_listeners_own_certificate_is_good_enough_on_loopback()
    {
        await using var listener = await Listener.StartAsync(200, Accepted, SelfSigned());
        var run = await CommandRun.Of("send", _dump, "--url", listener.Url + "/post");

        Assert.StartsWith("https://127.0.0.1:", listener.Url, StringComparison.Ordinal);
        Assert.Equal((0, ""), (run.Exit, run.Error));
    }

    [Fact]
    public async Task Nobody_listening_is_one_sentence()
    {
        string url;
        await using (var listener = await Listener.StartAsync(200, Accepted))
        {
            url = listener.Url;
        }

        var run = await CommandRun.Of("send", _dump, "--url", url + "/post");
        Assert.Equal((1, ""), (run.Exit, run.Out));
        Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task A_refusal_of_the_head_is_asked_for_before_the_body_is_sent()
    {
        await using var listener = await Listener.StartAsync(200, Accepted);
        await CommandRun.Of("send", _dump, "--url", listener.Url + "/post");
        Assert.Equal("100-continue", Assert.Single(listener.Requests).Expect);
    }

    [Fact]
    public async Task TLS_with_a_port_that_has_none_is_said_to_be_the_reason()
    {
        await using var listener = await Listener.StartAsync(200, Accepted);
        var authority = new Uri(listener.Url).Authority;
        var run = await CommandRun.Of("send", _dump, "--url", $"https://{authority}/post?token=secret");

        Assert.Equal((1, ""), (run.Exit, run.Out));
        Assert.StartsWith($"There is no TLS with {authority}: Cannot determine the frame size", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", run.Error, StringComparison.Ordinal);
    }

    private static async Task<List<Part>> PartsOf(HttpRequest request)
    {
        var parts = new List<Part>();
        if (!request.HasFormContentType)
        {
            return parts;
        }

        var boundary = HeaderUtilities.RemoveQuotes(MediaTypeHeaderValue.Parse(request.ContentType).Boundary).Value!;
        var reader = new MultipartReader(boundary, request.Body);
        while (await reader.ReadNextSectionAsync() is { } section)
        {
            var disposition = section.GetContentDispositionHeader()!;
            using var bytes = new MemoryStream();
            await section.Body.CopyToAsync(bytes);
            parts.Add(new(
                HeaderUtilities.RemoveQuotes(disposition.Name).Value!,
                disposition.FileName.HasValue ? HeaderUtilities.RemoveQuotes(disposition.FileName).Value : null,
                bytes.ToArray()));
        }

        return parts;
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=listener", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    private sealed record Received(string Target, string? ContentType, byte[] Body, List<Part> Parts, string? Expect);

    private sealed record Part(string Name, string? FileName, byte[] Bytes);

    /// <summary>A server that keeps what it is sent and always answers the same.</summary>
    private sealed class Listener : IAsyncDisposable
    {
        private readonly WebApplication _app;

        private Listener(WebApplication app) => _app = app;

        public List<Received> Requests { get; } = [];

        public string Url => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

        public static async Task<Listener> StartAsync(int status, string body, X509Certificate2? certificate = null)
        {
            var builder = WebApplication.CreateEmptyBuilder(new());
            builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
            {
                if (certificate is not null)
                {
                    endpoint.UseHttps(certificate);
                }
            }));
            var app = builder.Build();
            var listener = new Listener(app);
            app.Run(async context =>
            {
                using var kept = new MemoryStream();
                var parts = await PartsOf(context.Request);
                await context.Request.Body.CopyToAsync(kept);
                listener.Requests.Add(new(
                    context.Request.Path + context.Request.QueryString.ToString(), context.Request.ContentType, kept.ToArray(), parts, context.Request.Headers.Expect));
                context.Response.StatusCode = status;
                await context.Response.WriteAsync(body);
            });
            await app.StartAsync();
            return listener;
        }

        public ValueTask DisposeAsync() => _app.DisposeAsync();
    }
}
