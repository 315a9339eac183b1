using System.Text.RegularExpressions;
using CsCheck;
using FastListener.Fuzz.Models;
using FastListener.Protocol.Http;
using FastListener.Protocol.Tests.Support;

namespace FastListener.Protocol.Tests.Differential;

/// <summary>
/// Our chunk decoder beside Kestrel's server. What both take as a whole body must be the same bytes and end at the same place; where one
/// refuses what the other takes, the difference must be one of those listed here.
/// </summary>
public sealed partial class ChunkedServerDifferenceTests(KestrelBody kestrel) : IClassFixture<KestrelBody>
{
    /// <summary>Kestrel takes, we refuse: by fault, and why.</summary>
    private static readonly Dictionary<HttpFault, string> WeRefuse = new()
    {
        [HttpFault.BadChunkExtension] = "RFC 9112 7.1.1: an extension has a grammar; Kestrel skips whatever stands between ';' and CR LF",
        [HttpFault.BareLf] = "RFC 9112 2.2: a lone LF may end a line, Kestrel lets it in trailers; parsers that disagree about it smuggle",
        [HttpFault.BadFieldName] = "RFC 9112 7.1.2, RFC 9110 5.1: a trailer's name is a token; Kestrel takes any name without blanks",
        [HttpFault.BadFieldValue] = "RFC 9110 5.5: no control characters in a value; Kestrel takes all but NUL in trailers",
        [HttpFault.TrailersTooLarge] = "RFC 9112 7.1.2, RFC 6585 5: trailers may be limited; ours is 8 KiB, Kestrel's is that of the head, 32 KiB",
        [HttpFault.ChunkLineTooLong] = "RFC 9112 7.1.1: the length of extensions ought to be limited; Kestrel limits them only with the body",
        [HttpFault.ChunkExtensionsTooLarge] = "RFC 9112 7.1.1: so ought the sum of them",
    };

    /// <summary>We take, Kestrel refuses: what is in the body, and why.</summary>
    private static readonly (string Why, Regex Applies)[] WeAccept =
    [
        ("RFC 9112 7.1: a size has any number of digits (Crashpad pads with zeros); Kestrel reads eight", LongSize()),
        ("RFC 9112 7.1.1: white space before an extension is BWS, which a recipient must take; Kestrel takes none", BlankBeforeExtension()),
        ("RFC 9110 5.5: obs-text is opaque data, and trailers are dropped; Kestrel refuses what is no UTF-8", ObsoleteText()),
    ];

    private static readonly string[] Words =
    [
        "0", "1", "3", "a", "F", "00", "0000000000000002", "\r\n", "\r", "\n", ";", "=", "a=b", ";x", ";a=\"b\"", ";a=\"\\\"\"", "\"", " ", "\t", "\0", "\x7F", "\xE4",
        "abc", "0\r\n\r\n", "3\r\nabc\r\n", "1\r\nx\r\n", "1;a=b\r\nx\r\n", "0\r\nX: y\r\n\r\n", "X: y\r\n", "X:\r\n", " X: y\r\n", "X : y\r\n",
    ];

    public static TheoryData<string> Bodies => new(
        [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "A\r\n0123456789\r\n0\r\nX: y\r\nY:\r\n\r\n",
            "00000005\r\nhello\r\n0\r\n\r\n",
            "000000005\r\nhello\r\n0\r\n\r\n",
            "0000000000000005\r\nhello\r\n0\r\n\r\n",
            "80000000\r\nhello",
            "FFFFFFFF\r\nhello",
            "10000000000000005\r\nhello\r\n0\r\n\r\n",
            "5;a=\"b\\\"\";c\r\nhello\r\n0;d\r\n\r\n",
            "5 ;a\r\nhello\r\n0\r\n\r\n",
            "5;;a=\r\nhello\r\n0\r\n\r\n",
            "5;a\nhello\r\n0\r\n\r\n",
            "5;a\rb\r\nhello\r\n0\r\n\r\n",
            "5\nhello\r\n0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            " 5\r\nhello\r\n0\r\n\r\n",
            "+5\r\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            "\r\nhello\r\n0\r\n\r\n",
            "5\r\nhelloX\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhello0\r\n\r\n",
            "5\r\nhel",
            "5\r\nhello\r\n0\r\n",
            "5\r\nhello\r\n",
            "0\r\n\n",
            "0\r\nX: a\n\r\n",
            "0\r\nX: a\rb\r\n\r\n",
            "0\r\nX: a\r\n b\r\n\r\n",
            "0\r\nX : a\r\n\r\n",
            "0\r\nX\r\n\r\n",
            "0\r\n: a\r\n\r\n",
            "0\r\nX(y): a\r\n\r\n",
            "0\r\nX: a\0\r\n\r\n",
            "0\r\nX: a\x0B\r\n\r\n",
            "0\r\nX: \xE4\r\n\r\n",
            "0\r\nX: \xC3\xA4\r\n\r\n",
            "0\r\nContent-Length: 99\r\nTransfer-Encoding: gzip\r\nHost: a\r\n\r\n",
            "0\r\nX: " + new string('t', 9000) + "\r\n\r\n",
            "1;" + new string('e', 5000) + "\r\nx\r\n0\r\n\r\n",
            string.Concat(Enumerable.Repeat("1;" + new string('e', 4000) + "\r\nx\r\n", 20)) + "0\r\n\r\n",
        ]);

    [Theory]
    [MemberData(nameof(Bodies))]
    public Task They_agree_or_differ_as_listed(string body) => CompareAsync(HeadReading.Bytes(body));

    [Fact]
    public async Task Every_listed_difference_exists()
    {
        var refused = new HashSet<HttpFault>();
        var accepted = new HashSet<string>();
        foreach (var row in Bodies)
        {
            var bytes = HeadReading.Bytes(row.Data);
            var (status, fault, _, _) = ChunkReading.Decode(new(), [bytes]);
            var whole = (await kestrel.ReadAsync(bytes, withNext: false)).Data is not null;
            if (whole && status == ParseStatus.Rejected)
            {
                refused.Add(fault);
            }
            else if (!whole && status == ParseStatus.Done)
            {
                accepted.UnionWith(WeAccept.Where(d => d.Applies.IsMatch(row.Data)).Select(d => d.Why));
            }
        }

        Assert.Equal(WeRefuse.Keys.Order(), refused.Order());
        Assert.Equal(WeAccept.Select(d => d.Why).Order(), accepted.Order());
    }

    [Fact]
    public async Task They_agree_or_differ_as_listed_on_bodies_made_of_words() =>
        await Gen.Int[0, Words.Length - 1].Select(i => Words[i]).Array[0, 14].SampleAsync(async words => await CompareAsync(HeadReading.Bytes(string.Concat(words))), iter: 1500);

    [Fact]
    public async Task They_read_whole_and_damaged_bodies_alike_or_differ_as_listed() =>
        await Gen.Select(Gen.Byte.Array[1, 60], Gen.Byte, Gen.Int[0, 500], Gen.Byte).SampleAsync(async (data, style, where, any) =>
        {
            var body = ChunkedModel.Write(data, style);
            Assert.Equal(data, ChunkReading.Decode(new(), [body]).Data);
            await CompareAsync(body);
            body[where % body.Length] = any;
            await CompareAsync(body);
        }, iter: 1000);

    private async Task CompareAsync(byte[] body)
    {
        var (status, fault, data, length) = ChunkReading.Decode(new(), [body]);
        var (theirs, _) = await kestrel.ReadAsync(body, withNext: false);
        var text = HeadReading.Latin1(body);
        if (theirs is not null && status == ParseStatus.Done)
        {
            Assert.Equal(theirs, data);
            var (again, found) = await kestrel.ReadAsync(body[..length], withNext: true);
            Assert.True(found && again is not null, $"Kestrel's body does not end where ours does, after {length} bytes: {text}");
        }
        else if (theirs is not null)
        {
            Assert.True(status == ParseStatus.Rejected && WeRefuse.ContainsKey(fault), $"Kestrel takes, we say {status} {fault}: {text}");
        }
        else if (status == ParseStatus.Done)
        {
            Assert.True(WeAccept.Any(d => d.Applies.IsMatch(text)), $"We take, Kestrel does not: {text}");
        }
    }

    [GeneratedRegex(@"(?:\A|\r\n)[0-9A-Fa-f]{9,15}[ \t;\r]")]
    private static partial Regex LongSize();

    [GeneratedRegex(@"(?:\A|\r\n)[0-9A-Fa-f]+[ \t]+;")]
    private static partial Regex BlankBeforeExtension();

    [GeneratedRegex(@"\n[!-9;-~]+:[^\r\n]*[\x80-\xFF]")]
    private static partial Regex ObsoleteText();
}
