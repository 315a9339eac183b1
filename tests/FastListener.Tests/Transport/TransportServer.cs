using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FastListener.Hosting.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace FastListener.Transport;

/// <summary>Kestrel on 127.0.0.1 with one plain and one TLS endpoint, both ending in the same handler.</summary>
internal sealed class TransportServer : IAsyncDisposable
{
    private static readonly X509Certificate2 s_certificate = MakeCertificate();
    private readonly WebApplication _app;

    private TransportServer(WebApplication app) => _app = app;

    public int Port { get; private set; }

    public int TlsPort { get; private set; }

    public BlockPool Blocks => _app.Services.GetRequiredService<PooledBlockFactory>().Blocks;

    public static async Task<TransportServer> StartAsync(
        TransportKind kind, Func<ConnectionContext, Task> handler, Action<KestrelServerOptions>? configure = null, TransportOptions? options = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        var endpoints = new List<ListenOptions>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
            {
                endpoints.Add(endpoint);
                endpoint.Run(connection => handler(connection));
            });
            kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
            {
                endpoints.Add(endpoint);
                endpoint.Protocols = HttpProtocols.Http1;
                endpoint.UseHttps(s_certificate);
                endpoint.Run(connection => handler(connection));
            });
            configure?.Invoke(kestrel);
        });
        builder.Services.AddFastListenerTransport((options ?? new TransportOptions()) with { Transport = kind });
        var server = new TransportServer(builder.Build());
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        server.Port = ((IPEndPoint)endpoints[0].EndPoint).Port;
        server.TlsPort = ((IPEndPoint)endpoints[1].EndPoint).Port;
        return server;
    }

    public Task<Socket> ConnectAsync() => ConnectAsync(Port);

    /// <summary>A client's stream, through TLS or not.</summary>
    public async Task<Stream> OpenAsync(bool tls)
    {
        var stream = new NetworkStream(await ConnectAsync(tls ? TlsPort : Port), ownsSocket: true);
        if (!tls)
        {
            return stream;
        }

        var secure = new SslStream(stream, leaveInnerStreamOpen: false, (_, certificate, _, _) => certificate?.GetCertHashString() == s_certificate.GetCertHashString());
        await secure.AuthenticateAsClientAsync("localhost");
        return secure;
    }

    public Task StopAsync(CancellationToken giveUp) => _app.StopAsync(giveUp);

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource();
        soon.Cancel(); // whatever still runs is aborted
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
    }

    private static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return socket;
    }

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
