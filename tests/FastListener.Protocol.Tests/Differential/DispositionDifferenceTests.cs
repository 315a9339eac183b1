using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using CsCheck;
using FastListener.Protocol.Multipart;
using FastListener.Protocol.Tests.Support;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace FastListener.Protocol.Tests.Differential;

/// <summary>
/// Our reading of Content-Disposition beside that of Microsoft.Net.Http.Headers: the same names from every value that is written as the RFCs
/// say, and from damaged ones the same or a difference of those listed here.
/// </summary>
public sealed partial class DispositionDifferenceTests
{
    private const string Nothing = "none";
    private const string Refused = "refused";

    /// <summary>Difference, field value, the stock reading, ours.</summary>
    public static TheoryData<string, string, string, string> Differences => new()
    {
        { "RFC 7578 4.2: percent escapes are decoded, as browsers write quotes and line ends", "form-data; name=\"a%22b\"", "a%22b none", "a\"b none" },
        { "RFC 7578 4.2: quotes that nobody escaped belong to the name (Cocoa)", "form-data; name=\"a\"b\"", Refused, "a\"b none" },
        { "RFC 7578 4.2: backslashes that escape nothing stay: a path of Windows (Breakpad)", "form-data; name=n; filename=\"C:\\dir\\x.dmp\"", "n C:dirx.dmp", "n C:\\dir\\x.dmp" },
        { "RFC 7578 4.2: a value without quotes may be more than a token, as clients write them", "form-data; name=a b/c", Refused, "a b/c none" },
        { "RFC 6266 4.1: a parameter without a value is not there, whatever it is called", "form-data; x y; name=a", Refused, "a none" },
        { "RFC 6266 4.1: the type changes nothing, not even when it is none (old Unity)", "a b; name=a", Refused, "a none" },
        { "RFC 6266 4.1: a parameter's name that is no token is one we do not know", "form-data; (x)=y; name=a", Refused, "a none" },
        { "RFC 6266 4.1: a name that comes twice: which is meant?", "form-data; name=a; name=b", "a none", Refused },
        { "RFC 2047 5: words are decoded within other text, too, and in Q (.NET's older clients)", "form-data; name=\"x=?utf-8?Q?a?=\"", "x=?utf-8?Q?a?= none", "xa none" },
        { "RFC 8187 3.2.1: quotes around an extended value are taken off", "form-data; name=n; filename*=\"utf-8''a\"", "n none", "n a" },
        { "RFC 8187 3.2.1: bytes that are no text of the charset leave the plain parameter in force", "form-data; name=n; filename=p; filename*=utf-8''%FF", "n \uFFFD", "n p" },
        { "RFC 8187 3.2.1: and so does a charset other than the two that one must know", "form-data; name=n; filename=p; filename*=koi8-r''%C1", "n p", "n p" },
        { "RFC 8187 3.2.1: what cannot be read is as if it were not there, so a second one counts", "form-data; name=n; filename*=x; filename*=utf-8''a", "n none", "n a" },
        { "RFC 8187 3.2.1: and a NUL, which no name has", "form-data; name=n; filename=p; filename*=utf-8''a%00", "n a\0", "n p" },
        { "RFC 7578 4.2: more than 32 parameters are refused", "form-data; name=a" + string.Concat(Enumerable.Range(0, 40).Select(i => $"; x{i}=y")), "a none", Refused },
    };

    [Theory]
    [MemberData(nameof(Differences))]
    public void Differences_are_deliberate(string why, string value, string stock, string ours)
    {
        Assert.StartsWith("RFC ", why, StringComparison.Ordinal);
        Assert.Equal((stock, ours), (Stock(value), Ours(value)));
    }

    [Fact]
    public void They_read_the_same_from_every_value_that_is_written_by_the_book() =>
        Written.Sample(value => Assert.Equal(Stock(value), Ours(value)), iter: 3000);

    /// <summary>A file name of any bytes: text comes out as it went in, whatever stands beside it.</summary>
    [Fact]
    public void They_read_the_same_from_extended_values_of_random_bytes() =>
        Gen.Select(Gen.Byte.Array[0, 20], Gen.Int[0, 4], Gen.Bool).Sample((bytes, style, beside) =>
        {
            var charset = new[] { "utf-8", "UTF-8", "iso-8859-1", "ISO-8859-1", "utf-8" }[style];
            var language = style == 4 ? "de-AT" : "";
            var escaped = string.Concat(bytes.Select(b => char.IsAsciiLetterOrDigit((char)b) ? $"{(char)b}" : string.Create(CultureInfo.InvariantCulture, $"%{b:X2}")));
            var value = $"form-data; name=n{(beside ? "; filename=\"plain\"" : "")}; filename*={charset}'{language}'{escaped}";
            if (IsText(charset, escaped))
            {
                Assert.Equal(Stock(value), Ours(value));
            }
            else
            {
                Assert.Equal(beside ? "n plain" : "n none", Ours(value)); // the difference that is listed
            }
        }, iter: 3000);

    [Fact]
    public void They_agree_or_differ_as_listed_on_damaged_values()
    {
        var different = new HashSet<string>();
        Gen.Select(Written, Gen.Int[0, 300], Gen.Char["\"\\;= \t%*'a,/\u00E4"], Gen.Int[0, 2]).Sample((value, where, any, how) =>
        {
            where = "form-data".Length + (where % (value.Length - "form-data".Length));
            var bad = how switch
            {
                0 => value[..where] + any + value[(where + 1)..],
                1 => value[..where] + any + value[where..],
                _ => value[..where] + value[(where + 1)..],
            };
            var (stock, ours) = (Stock(bad), Ours(bad));
            if (stock != ours && !Explains(bad, ours))
            {
                lock (different)
                {
                    different.Add($"'{bad}': stock '{stock}', ours '{ours}'");
                }
            }
        }, iter: 3000);
        Assert.True(different.Count == 0, $"{different.Count}:\n{string.Join('\n', different.Take(30))}");
    }

    private static Gen<string> Written
    {
        get
        {
            var token = Gen.Char["abZ09!#$&+-.^_`|~"].Array[1, 8].Select(c => new string(c));
            var text = Gen.String[Gen.Char["ab \t\"\\;=,:/()<>@[]{}?*'\u00E4\u20AC"], 0, 10];
            var quoted = text.Select(t => "\"" + t.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"");
            var plain = Gen.OneOf(token, quoted);
            var extended = Gen.Select(text, Gen.Bool).Select((t, upper) => (upper ? "UTF-8'en'" : "utf-8''") + Uri.EscapeDataString(t));
            var name = OneOf("name", "NAME", "Name");
            var fileName = OneOf("filename", "FileName");
            var parameter = Gen.OneOf(
                Gen.Select(name, plain).Select((n, v) => (Key: "name", Text: n + "\u0001=\u0001" + v)),
                Gen.Select(fileName, plain).Select((n, v) => (Key: "filename", Text: n + "\u0001=\u0001" + v)),
                Gen.Select(fileName, extended).Select((n, v) => (Key: "filename*", Text: n + "*\u0001=\u0001" + v)),
                Gen.Select(token, plain).Select((n, v) => (Key: "x" + n, Text: "x" + n + "\u0001=\u0001" + v)));
            var blank = OneOf("", " ", "\t", "  ");
            return Gen.Select(parameter.Array[1, 4], blank, blank, blank).Select((parameters, beforeSemicolon, afterSemicolon, aroundEquals) =>
                "form-data" + string.Concat(parameters.DistinctBy(p => p.Key.ToUpperInvariant()).Select(p => $"{beforeSemicolon};{afterSemicolon}{p.Text.Replace("\u0001", aroundEquals, StringComparison.Ordinal)}")));
        }
    }

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    /// <summary>
    /// Whether one of the differences listed above is possible: the value is not written by the grammar of RFC 6266 4.1, or it is and has a name
    /// twice, an escape that is none of the two that writers need, a percent sign in a plain value, or an extended value that is none or no text.
    /// </summary>
    private static bool Explains(string value, string ours) =>
        !Grammar().IsMatch(value)
        || (ours == Refused && Names().Matches(value).GroupBy(match => match.Groups[1].Value.ToUpperInvariant()).Any(group => group.Count() > 1))
        || OtherEscape().IsMatch(value)
        || PlainPercent().IsMatch(value)
        || Names().Matches(value).Count(match => match.Value.Contains('*')) > Extended().Matches(value).Count(match => IsText(match.Groups["charset"].Value, match.Groups["text"].Value));

    private static bool IsText(string charset, string escaped)
    {
        var bytes = HeadReading.Bytes(Escape().Replace(escaped, escape => ((char)Convert.ToByte(escape.Groups[1].Value, 16)).ToString()));
        return !bytes.Contains((byte)0) && (charset.StartsWith("iso", StringComparison.OrdinalIgnoreCase) || Utf8.IsValid(bytes));
    }

    private static string Stock(string value)
    {
        if (!ContentDispositionHeaderValue.TryParse(value, out var parsed))
        {
            return Refused;
        }

        // It throws where this one has no value.
        var extended = Raw("filename*") is not { HasValue: true } ? null : parsed.FileNameStar.Value;
        return $"{Meant("name", parsed.Name.Value)} {extended ?? Meant("filename", parsed.FileName.Value)}";

        StringSegment? Raw(string name) => parsed.Parameters.FirstOrDefault(p => p.Name.Equals(name, StringComparison.OrdinalIgnoreCase))?.Value;

        // Its properties undo RFC 2047 words, and leave escapes to the caller.
        string Meant(string name, string? given)
        {
            return given is null || Raw(name) is not { } raw ? Nothing
                : given == HeaderUtilities.RemoveQuotes(raw).Value ? HeaderUtilities.UnescapeAsQuotedString(raw).ToString()
                : given;
        }
    }

    private static string Ours(string value)
    {
        var read = MultipartReading.Read("B", [Encoding.UTF8.GetBytes($"--B\r\nContent-Disposition: {value}\r\n\r\nv\r\n--B--")]);
        return read.Fault != MultipartFault.None ? Refused : $"{read.Parts[0].Name ?? Nothing} {read.Parts[0].FileName ?? Nothing}";
    }

    [GeneratedRegex("""\Aform-data(?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:\\.|[^\\"])*"))*[ \t]*\z""")]
    private static partial Regex Grammar();

    [GeneratedRegex("""(?<=;[ \t]*)(name|filename|filename\*)[ \t]*=""", RegexOptions.IgnoreCase)]
    private static partial Regex Names();

    [GeneratedRegex("""\\[^\\"]""")]
    private static partial Regex OtherEscape();

    [GeneratedRegex("""name[ \t]*=[ \t]*(?:"[^"]*%|[^";]*%)""", RegexOptions.IgnoreCase)]
    private static partial Regex PlainPercent();

    [GeneratedRegex("""filename\*[ \t]*=[ \t]*(?<charset>utf-8|iso-8859-1)'[^']*'(?<text>(?:[A-Za-z0-9!#$&+\-.^_`|~]|%[0-9A-Fa-f]{2})*)[ \t]*(?:;|\z)""", RegexOptions.IgnoreCase)]
    private static partial Regex Extended();

    [GeneratedRegex("%([0-9A-Fa-f]{2})")]
    private static partial Regex Escape();
}
