using System.Net;
using System.Security.Cryptography.X509Certificates;
using FastListener.Peers.AspNet;

var options = PeerOptions.Parse(args);
Directory.CreateDirectory(options.Directory);
if (options.Tuned)
{
    // A handler that waits in Flush(true) holds its thread; the pool grows by one or two a second unless told.
    ThreadPool.SetMinThreads(64, 64);
}

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.UseKestrelHttpsConfiguration();
var url = new Uri(options.Url);
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.Limits.MaxRequestBodySize = null;
    kestrel.Limits.MinRequestBodyDataRate = null;
    kestrel.Listen(IPAddress.Parse(url.Host), url.Port, listen =>
    {
        if (options.Certificate is not null && options.Key is not null)
        {
            listen.UseHttps(X509Certificate2.CreateFromPemFile(options.Certificate, options.Key));
        }
    });
});
if (options.Decompress)
{
    builder.Services.AddRequestDecompression();
}

var app = builder.Build();
if (options.Decompress)
{
    app.UseRequestDecompression();
}

var uploads = new Uploads(options);
Func<HttpRequest, Task<IResult>> handler = (options.Mode, options.Tuned) switch
{
    ("form", _) => uploads.ReadForm,
    ("discard", true) => Uploads.DiscardTuned,
    ("discard", _) => Uploads.Discard,
    (_, true) => uploads.ReadSectionsTuned,
    _ => uploads.ReadSections,
};
app.MapPost("/post", handler).DisableAntiforgery();
app.Run();
