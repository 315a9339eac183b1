using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace FastListener.Fuzz.Running;

/// <summary>A dictionary in the form afl-fuzz reads: a quoted word a line, with <c>\xHH</c>, <c>\"</c> and <c>\\</c>.</summary>
internal static partial class AflDictionary
{
    public static IEnumerable<byte[]> Read(string path)
    {
        foreach (var line in File.ReadLines(path))
        {
            yield return Encoding.Latin1.GetBytes(Escape().Replace(line.Trim()[1..^1], match => match.Groups["hex"] is { Success: true } hex
                ? ((char)byte.Parse(hex.Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString()
                : match.Value[1..]));
        }
    }

    [GeneratedRegex("""\\(?:x(?<hex>[0-9A-Fa-f]{2})|["\\])""")]
    private static partial Regex Escape();
}
