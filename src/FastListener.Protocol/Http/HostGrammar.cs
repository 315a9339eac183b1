using System.Buffers;

namespace FastListener.Protocol.Http;

/// <summary><c>Host = uri-host [ ":" port ]</c> (RFC 9110 7.2, RFC 3986 3.2.2). An empty value is valid (RFC 9112 3.2).</summary>
internal static class HostGrammar
{
    private static readonly SearchValues<byte> RegisteredName = SearchValues.Create(
        "-._~%!$&'()*+,;=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<byte> AddressLiteral = SearchValues.Create(
        "-._~!$&'()*+,;=:%0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    public static bool IsValid(ReadOnlySpan<byte> host)
    {
        if (host.Contains((byte)'%') && !EscapesAreWhole(host))
        {
            return false;
        }

        ReadOnlySpan<byte> rest;
        if (host.StartsWith("["u8))
        {
            var close = host.IndexOf((byte)']');
            if (close < 2 || host[1..close].ContainsAnyExcept(AddressLiteral))
            {
                return false;
            }

            rest = host[(close + 1)..];
        }
        else
        {
            var end = host.IndexOfAnyExcept(RegisteredName);
            if (end < 0)
            {
                return true;
            }

            rest = host[end..];
        }

        return rest.IsEmpty || (rest[0] == ':' && rest.Length <= 6 && !rest[1..].ContainsAnyExceptInRange((byte)'0', (byte)'9'));
    }

    /// <summary><c>pct-encoded = "%" HEXDIG HEXDIG</c> (RFC 3986 2.1).</summary>
    private static bool EscapesAreWhole(ReadOnlySpan<byte> host)
    {
        for (var at = host.IndexOf((byte)'%'); at >= 0; at = host.IndexOf((byte)'%'))
        {
            host = host[(at + 1)..];
            if (host.Length < 2 || !char.IsAsciiHexDigit((char)host[0]) || !char.IsAsciiHexDigit((char)host[1]))
            {
                return false;
            }
        }

        return true;
    }
}
