using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FastListener.Load.Sockets;

/// <summary>Where load may go: this machine's IPv4 loopback and nowhere else.</summary>
internal sealed record LoopbackTarget(IPAddress Address, int Port, bool Tls)
{
    public string Host => string.Create(CultureInfo.InvariantCulture, $"{Address}:{Port}");

    public Uri Url => new(string.Create(CultureInfo.InvariantCulture, $"{(Tls ? "https" : "http")}://{Address}:{Port}/"));

    /// <exception cref="ArgumentException">The URL is malformed or leads off this machine.</exception>
    public static LoopbackTarget Parse(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            throw new ArgumentException($"'{url}' is not an http or https address.");
        }

        var address = uri.Host == "localhost" ? IPAddress.Loopback : IPAddress.TryParse(uri.Host, out var parsed) ? parsed : null;
        if (address is null || address.AddressFamily != AddressFamily.InterNetwork || !IPAddress.IsLoopback(address))
        {
            throw new ArgumentException($"'{uri.Host}' is not 127.0.0.0/8. This load generator aims at its own machine only.");
        }

        return new LoopbackTarget(address, uri.Port, uri.Scheme == "https");
    }
}
