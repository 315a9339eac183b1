using System.Text;
using System.Text.RegularExpressions;

namespace FastListener.Fuzz.Models;

/// <summary>Queries and percent-decoding said a second time, with strings and regular expressions.</summary>
internal static partial class QueryModel
{
    /// <summary>The pairs of a query; the value is null without an equals sign.</summary>
    public static IEnumerable<(byte[] Name, byte[]? Value)> Read(ReadOnlySpan<byte> query)
    {
        var pairs = new List<(byte[], byte[]?)>();
        foreach (var pair in Separator().Split(Encoding.Latin1.GetString(query)))
        {
            if (pair.Length > 0)
            {
                var halves = pair.Split('=', 2);
                pairs.Add((Encoding.Latin1.GetBytes(halves[0]), halves.Length == 1 ? null : Encoding.Latin1.GetBytes(halves[1])));
            }
        }

        return pairs;
    }

    public static byte[] Decode(ReadOnlySpan<byte> bytes, bool plusIsSpace)
    {
        var text = Encoding.Latin1.GetString(bytes);
        var escape = plusIsSpace ? EscapeOrPlus() : Escape();
        return Encoding.Latin1.GetBytes(escape.Replace(text, match => match.Value == "+" ? " " : ((char)Convert.ToByte(match.Value[1..], 16)).ToString()));
    }

    /// <summary>An ampersand, or a question mark with a name and an equals sign behind it.</summary>
    [GeneratedRegex(@"&|\?(?=[0-9A-Za-z_.\-]+=)")]
    private static partial Regex Separator();

    [GeneratedRegex("%[0-9A-Fa-f]{2}")]
    private static partial Regex Escape();

    [GeneratedRegex(@"%[0-9A-Fa-f]{2}|\+")]
    private static partial Regex EscapeOrPlus();
}
