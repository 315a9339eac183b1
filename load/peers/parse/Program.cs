using System.Net;
using FastListener.Hosting.Transport;
using FastListener.Peers.Parse;
using Microsoft.AspNetCore.Connections;

if (args is not ["--url", var listenAt])
{
    await Console.Error.WriteLineAsync("usage: peer-parse --url http://127.0.0.1:PORT");
    return 2;
}

InlineCompletions.Enable();
var url = new Uri(listenAt);
var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
    kestrel.Listen(IPAddress.Parse(url.Host), url.Port, endpoint => endpoint.UseConnectionHandler<ForgettingHandler>()));
builder.Services.AddFastListenerTransport(new TransportOptions());
await builder.Build().RunAsync();
return 0;
