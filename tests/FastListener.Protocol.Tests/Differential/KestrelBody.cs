using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using FastListener.Protocol.Tests.Support;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FastListener.Protocol.Tests.Differential;

/// <summary>
/// Reads chunked bodies with the whole of Kestrel's HTTP/1.1 server, over pipes in memory. Behind the body follows a request whose answer says
/// that the server found the body's end where the test says it is.
/// </summary>
public sealed class KestrelBody : IConnectionListenerFactory, IHttpApplication<IFeatureCollection>, IAsyncLifetime
{
    private const string Head = "POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    private const string Next = "GET /next HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

    private readonly Channel<ConnectionContext> _connections = Channel.CreateUnbounded<ConnectionContext>();
    private KestrelServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        var options = new KestrelServerOptions { ApplicationServices = new ServiceCollection().BuildServiceProvider() };
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        options.Listen(IPAddress.Loopback, 80, listen => listen.Protocols = HttpProtocols.Http1); // bound by nobody: this class is the transport
        _server = new(Options.Create(options), this, NullLoggerFactory.Instance);
        await _server.StartAsync(this, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync(CancellationToken.None);
        _server.Dispose();
    }

    /// <summary>The body's data, null when it is refused or unfinished; and whether the request behind it was found.</summary>
    public async Task<(byte[]? Data, bool FoundNext)> ReadAsync(byte[] body, bool withNext)
    {
        var reading = new Reading();
        var toServer = new Pipe(new(pauseWriterThreshold: 0));
        var toClient = new Pipe(new(pauseWriterThreshold: 0));
        var connection = new Connection(toServer.Reader, toClient.Writer);
        connection.Items[typeof(Reading)] = reading;
        await toServer.Writer.WriteAsync(HeadReading.Bytes(Head));
        await toServer.Writer.WriteAsync(body);
        await toServer.Writer.WriteAsync(HeadReading.Bytes(withNext ? Next : ""));
        await toServer.Writer.CompleteAsync();
        _connections.Writer.TryWrite(connection);
        await toClient.Reader.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        return (reading.Data, reading.FoundNext);
    }

    async Task IHttpApplication<IFeatureCollection>.ProcessRequestAsync(IFeatureCollection context)
    {
        var reading = (Reading)context.GetRequiredFeature<IConnectionItemsFeature>().Items[typeof(Reading)]!;
        var request = context.GetRequiredFeature<IHttpRequestFeature>();
        if (request.Path != "/body")
        {
            reading.FoundNext |= request.Path == "/next";
            return;
        }

        try
        {
            var data = new MemoryStream();
            await request.Body.CopyToAsync(data);
            reading.Data = data.ToArray();
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException)
        {
            // Refused: there is no data.
        }
    }

    IFeatureCollection IHttpApplication<IFeatureCollection>.CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    void IHttpApplication<IFeatureCollection>.DisposeContext(IFeatureCollection context, Exception? exception)
    {
    }

    ValueTask<IConnectionListener> IConnectionListenerFactory.BindAsync(EndPoint endpoint, CancellationToken cancellationToken) => new(new Listener(endpoint, _connections));

    private sealed class Reading
    {
        public byte[]? Data { get; set; }

        public bool FoundNext { get; set; }
    }

    /// <summary>A connection in memory; who disposes of it closes it.</summary>
    private sealed class Connection : DefaultConnectionContext, IDuplexPipe
    {
        public Connection(PipeReader input, PipeWriter output)
        {
            (Input, Output) = (input, output);
            Transport = this;
        }

        public PipeReader Input { get; }

        public PipeWriter Output { get; }

        public override async ValueTask DisposeAsync()
        {
            await Input.CompleteAsync();
            await Output.CompleteAsync();
            await base.DisposeAsync();
        }

        /// <summary>Nothing hangs on it here: the other end has said all it has to say. The base's would come after the end.</summary>
        public override void Abort(ConnectionAbortedException abortReason)
        {
        }
    }

    private sealed class Listener(EndPoint endPoint, Channel<ConnectionContext> connections) : IConnectionListener
    {
        public EndPoint EndPoint => endPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
            await connections.Reader.WaitToReadAsync(cancellationToken) ? await connections.Reader.ReadAsync(cancellationToken) : null;

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            connections.Writer.TryComplete();
            return default;
        }

        public ValueTask DisposeAsync() => default;
    }
}
