using System.Text;
using CsCheck;
using FastListener.Protocol.Http;
using FastListener.Protocol.Tests.Http;
using FastListener.Protocol.Tests.Support;

namespace FastListener.Protocol.Tests.Differential;

/// <summary>
/// Our head parser beside Kestrel's. Where both accept they must have read the same; where one refuses what the other accepts, the
/// difference must be one of those listed here.
/// </summary>
public class HeadDifferenceTests
{
    /// <summary>Kestrel's parser accepts, ours refuses: by fault, and why.</summary>
    private static readonly Dictionary<HttpFault, string> WeRefuse = new()
    {
        [HttpFault.BareLf] = "Kestrel takes a lone LF as a line end (RFC 9112 2.2 lets it); parsers that disagree about it smuggle",
        [HttpFault.Nul] = "Kestrel lets NUL into field values",
        [HttpFault.BadFieldName] = "Kestrel takes any name without blanks; RFC 9110 5.1 wants a token",
        [HttpFault.BadFieldValue] = "Kestrel lets control characters into values",
        [HttpFault.BadVersion] = "Kestrel lets a lone CR into a target; for us the line ends there, without a version",
        [HttpFault.BadTarget] = "Kestrel lets control characters into targets, or leaves their form to a later step",
        [HttpFault.SpaceInTarget] = "Kestrel's parser looks for the last blank in some lines; its connection class refuses them",
        [HttpFault.BadMethod] = "Kestrel knows no limit for a method but the line's",
        [HttpFault.MissingHost] = "checked by Kestrel's connection class, not by its parser",
        [HttpFault.SeveralHosts] = "checked by Kestrel's connection class",
        [HttpFault.BadHost] = "checked by Kestrel's connection class",
        [HttpFault.SeveralContentLengths] = "checked by Kestrel's connection class",
        [HttpFault.BadContentLength] = "checked by Kestrel's connection class",
        [HttpFault.BadTransferEncoding] = "checked by Kestrel's connection class",
        [HttpFault.LengthWithTransferEncoding] = "Kestrel lets chunked win (RFC 9112 6.3 lets it) and removes the length",
        [HttpFault.SeveralContentTypes] = "Kestrel joins them",
    };

    /// <summary>Ours accepts, Kestrel's parser refuses: by what is in the head, and why.</summary>
    private static readonly (string Why, Func<string, bool> Applies)[] WeAccept =
    [
        ("HTTP/1.2 to 1.9 are served as 1.1 (RFC 9110 2.5); Kestrel answers 505", head => head.Contains(" HTTP/1.", StringComparison.Ordinal) && !head.Contains(" HTTP/1.0\r", StringComparison.Ordinal) && !head.Contains(" HTTP/1.1\r", StringComparison.Ordinal)),
    ];

    public static TheoryData<string> Heads => new(
        [
            .. RequestHeadRefusalTests.RequestLines.Select(row => row.Data.Item1 + "Host: h\r\n\r\n"),
            .. RequestHeadRefusalTests.Fields.Concat(RequestHeadRefusalTests.Framing).Select(row => "POST /post HTTP/1.1\r\nHost: h\r\n" + row.Data.Item1 + "\r\n"),
            "GET /a\rb HTTP/1.1\r\nHost: h\r\n\r\n",
            "POST / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a/b\r\n\r\n",
            "POST /post?format=minidump HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\n\r\n",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST //post HTTP/1.1\r\nHost: h\r\nX:\ty z \r\nEmpty:\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET http://h/post?x HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.2\r\nHost: h\r\n\r\n",
            "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        ]);

    [Theory]
    [MemberData(nameof(Heads))]
    public void They_agree_or_differ_as_listed(string head) => Compare(HeadReading.Bytes(head));

    [Fact]
    public void Every_listed_difference_exists()
    {
        var refused = new HashSet<HttpFault>();
        var accepted = new HashSet<string>();
        foreach (var row in Heads)
        {
            var bytes = HeadReading.Bytes(row.Data);
            using var parser = new RequestHeadParser();
            var status = parser.Append(bytes, out _);
            var kestrel = KestrelHead.Read(bytes) is not null;
            if (kestrel && status == ParseStatus.Rejected)
            {
                refused.Add(parser.Fault);
            }
            else if (!kestrel && status == ParseStatus.Done)
            {
                accepted.UnionWith(WeAccept.Where(d => d.Applies(row.Data)).Select(d => d.Why));
            }
        }

        Assert.Equal(WeRefuse.Keys.Order(), refused.Order());
        Assert.Equal(WeAccept.Select(d => d.Why).Order(), accepted.Order());
    }

    [Fact]
    public void They_agree_or_differ_as_listed_on_damaged_heads()
    {
        var good = HeadReading.Bytes("POST /post?a=b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX-A: \tb c \r\n\r\n");
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, good.Length - 1], Gen.Int[0, 7], Gen.Int[0, 2]).Sample((i, any, j, pick, how) =>
        {
            var special = "\r\n :\t\0,\x7F"u8[pick];
            byte[] bad = how switch
            {
                0 => [.. good[..i], any, .. good[(i + 1)..]],
                1 => [.. good[..j], special, .. good[j..]],
                _ => [.. good[..Math.Min(i, j)], special, .. good[(Math.Max(i, j) + 1)..]],
            };
            Compare(bad);
        }, iter: 5000);
    }

    [Fact]
    public void Random_heads_read_the_same_in_both()
    {
        var token = Gen.Char["ABCabc019!#$%&'*+-.^_`|~"].Array[1, 12].Select(c => new string(c));
        var value = Gen.Char["ab \t\"(),/:;<=>?@[]{}\xE4\xFF"].Array[0, 20].Select(c => new string(c));
        var target = Gen.Char["ab/?&=%\"|<>\xE4#"].Array[0, 20].Select(c => "/" + new string(c));
        Gen.Select(token, target, Gen.Select(token, value).Array[0, 6], Gen.Int[1, 30].Array[0, 5]).Sample((method, path, fields, cuts) =>
        {
            var head = new StringBuilder($"{method} {path} HTTP/1.0\r\n");
            foreach (var (name, text) in fields)
            {
                head.Append(name).Append("x:").Append(text).Append("\r\n");
            }

            var bytes = HeadReading.Bytes(head.Append("\r\n").ToString());
            Assert.Equal(KestrelHead.Read(bytes), Ours(bytes, Split.ByLengths(bytes, cuts)));
        }, iter: 1000);
    }

    private static void Compare(byte[] bytes)
    {
        var kestrel = KestrelHead.Read(bytes);
        var ours = Ours(bytes, [bytes]);
        if (kestrel == ours)
        {
            return;
        }

        var text = HeadReading.Latin1(bytes);
        using var parser = new RequestHeadParser();
        var status = parser.Append(bytes, out _);
        switch (kestrel, ours)
        {
            case (not null, null):
                Assert.True(status == ParseStatus.Rejected && WeRefuse.ContainsKey(parser.Fault), $"Kestrel accepts, we say {status} {parser.Fault}: {text}");
                break;
            case (null, not null):
                Assert.True(WeAccept.Any(d => d.Applies(text)), $"We accept, Kestrel does not: {text}");
                break;
            default:
                Assert.Fail($"Read differently: {text}\n{kestrel}\n{ours}");
                break;
        }
    }

    /// <summary>Our reading in the same words, null when refused or unfinished.</summary>
    private static string? Ours(byte[] bytes, byte[][] pieces)
    {
        using var parser = new RequestHeadParser();
        var total = 0;
        foreach (var piece in pieces)
        {
            var status = parser.Append(piece, out var consumed);
            total += consumed;
            if (status == ParseStatus.Rejected)
            {
                return null;
            }

            if (status == ParseStatus.Done)
            {
                var head = parser.Head;
                var text = new StringBuilder($"{HeadReading.Latin1(head.MethodBytes)} {HeadReading.Latin1(head.Target)} {(head.IsHttp10 ? "1.0" : "1.1")}\n");
                for (var i = 0; i < head.FieldCount; i++)
                {
                    var (name, value) = head.Field(i);
                    text.Append(HeadReading.Latin1(name)).Append('=').Append(HeadReading.Latin1(value)).Append('\n');
                }

                return text.Append("length ").Append(total).ToString();
            }
        }

        return null;
    }
}
