using System.Net;

namespace FastListener.Configuration;

/// <summary>Where the listener listens.</summary>
internal sealed record ListenSettings
{
    /// <summary>Plain HTTP, <c>ADDRESS:PORT</c>, <c>*:PORT</c> for every address, or <c>off</c>.</summary>
    public string Http { get; init; } = "*:6097";

    /// <summary>HTTPS, in the same form.</summary>
    public string Https { get; init; } = "*:6098";

    /// <summary>
    /// Where the listener tells how it fares, in the same form. Nobody is asked who they are there: it belongs on loopback or a network of
    /// one's own. An address in use does not stop the listener: it serves uploads, and tries again until the address is free.
    /// </summary>
    public string Admin { get; init; } = "127.0.0.1:6099";

    /// <summary>PEM file with the certificate and its chain. Empty: the self-signed one in the data directory.</summary>
    public string Certificate { get; init; } = "";

    /// <summary>PEM file with the key. Empty: it stands in the certificate's file.</summary>
    public string CertificateKey { get; init; } = "";

    /// <summary>Which transport carries the connections: <c>own</c> or <c>kestrel</c>.</summary>
    public string Transport { get; init; } = "own";

    /// <summary>Reads an address. False when it is none; an endpoint of null means off, <see cref="AnyAddress"/> every address.</summary>
    public static bool TryParse(string text, out IPEndPoint? endpoint)
    {
        endpoint = null;
        if (string.Equals(text, "off", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (text.StartsWith("*:", StringComparison.Ordinal) && ushort.TryParse(text.AsSpan(2), out var port))
        {
            endpoint = new IPEndPoint(AnyAddress, port);
            return true;
        }

        if (text.StartsWith("localhost:", StringComparison.OrdinalIgnoreCase))
        {
            text = "127.0.0.1" + text["localhost".Length..];
        }

        // A bare address would be read with port 0; a port must be named, and an IPv6 address stands in brackets.
        var colon = text.LastIndexOf(':');
        return colon > 0
            && (text[colon - 1] == ']' || text.IndexOf(':', StringComparison.Ordinal) == colon)
            && IPEndPoint.TryParse(text, out endpoint);
    }

    /// <summary>Both address families.</summary>
    public static IPAddress AnyAddress => IPAddress.IPv6Any;
}
