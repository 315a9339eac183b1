using System.Buffers;

namespace FastListener.Protocol.Http;

/// <summary>Which bytes RFC 9110 5 allows where, and which fault a wrong one is. Shared by head and trailers.</summary>
internal static class FieldGrammar
{
    /// <summary><c>tchar</c> of RFC 9110 5.6.2.</summary>
    public static readonly SearchValues<byte> Token = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>What ends a scan of a field value: every control but the tab. Bytes above 0x7F are <c>obs-text</c> and allowed.</summary>
    public static readonly SearchValues<byte> ValueStop = SearchValues.Create(Controls(tab: false, space: false));

    /// <summary>What ends a scan of a request target: controls and the space.</summary>
    public static readonly SearchValues<byte> TargetStop = SearchValues.Create(Controls(tab: true, space: true));

    public static HttpFault FaultInName(byte found) => found switch
    {
        (byte)' ' or (byte)'\t' => HttpFault.SpaceBeforeColon,
        (byte)'\n' => HttpFault.BareLf,
        0 => HttpFault.Nul,
        _ => HttpFault.BadFieldName,
    };

    public static HttpFault FaultInValue(byte found) => found switch
    {
        (byte)'\n' => HttpFault.BareLf,
        0 => HttpFault.Nul,
        _ => HttpFault.BadFieldValue,
    };

    /// <summary>The fault of a byte that cannot begin a field line, or none.</summary>
    public static HttpFault FaultAtLineStart(byte found) => found switch
    {
        (byte)' ' or (byte)'\t' => HttpFault.ObsoleteFold,
        (byte)'\n' => HttpFault.BareLf,
        0 => HttpFault.Nul,
        _ => Token.Contains(found) ? HttpFault.None : HttpFault.BadFieldName,
    };

    /// <summary>Optional white space (RFC 9110 5.6.3) taken off both ends.</summary>
    public static ReadOnlySpan<byte> TrimOws(ReadOnlySpan<byte> value)
    {
        var start = 0;
        var end = value.Length;
        while (start < end && value[start] is (byte)' ' or (byte)'\t')
        {
            start++;
        }

        while (end > start && value[end - 1] is (byte)' ' or (byte)'\t')
        {
            end--;
        }

        return value[start..end];
    }

    private static byte[] Controls(bool tab, bool space)
    {
        var found = new List<byte>();
        for (var b = 0; b < 256; b++)
        {
            if ((b < 0x20 && (b != '\t' || tab)) || b == 0x7F || (b == ' ' && space))
            {
                found.Add((byte)b);
            }
        }

        return [.. found];
    }
}
