using FastListener.Protocol.Http;
using FastListener.Protocol.Tests.Support;

namespace FastListener.Protocol.Tests.Http;

/// <summary>
/// Every way to be misunderstood is refused, for the same reason at the same byte however the bytes arrive. Each case is one that two
/// servers in a row have been seen to read differently (request smuggling), or that is no HTTP/1.1 at all.
/// </summary>
public class RequestHeadRefusalTests
{
    private const string Ok = "POST /post HTTP/1.1\r\nHost: h\r\n";

    public static TheoryData<string, HttpFault> RequestLines => new()
    {
        { "\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", HttpFault.BadMethod }, // a TLS ClientHello on the plain port
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HttpFault.UnsupportedVersion }, // the HTTP/2 preface
        { "GET / HTTP/2.0\r\nHost: h\r\n\r\n", HttpFault.UnsupportedVersion },
        { "GET / HTTP/0.9\r\nHost: h\r\n\r\n", HttpFault.UnsupportedVersion },
        { "GET / HTTP/3.0\r\nHost: h\r\n\r\n", HttpFault.UnsupportedVersion },
        { "GET /\r\n", HttpFault.BadVersion }, // HTTP/0.9
        { "GET / \r\n", HttpFault.BadVersion },
        { "GET / http/1.1\r\n", HttpFault.BadVersion },
        { "GET / HTTP/1.1 \r\n", HttpFault.BadVersion },
        { "GET / HTTP/1.11\r\n", HttpFault.BadVersion },
        { "GET / HTTP/11\r\n", HttpFault.BadVersion },
        { "GET / HTTP/1\r\n", HttpFault.BadVersion },
        { "GET / HTTP/1.x\r\n", HttpFault.BadVersion },
        { "GET / HTTP /1.1\r\n", HttpFault.BadVersion },
        { "GET / HTTPS/1.1\r\n", HttpFault.BadVersion },
        { "GET / HTTP/1.1\n", HttpFault.BareLf },
        { "GET / HTTP/1.1\rX", HttpFault.BareCr },
        { "GET / HTTP/1.1\r\r\n", HttpFault.BareCr },
        { "GET /\n", HttpFault.BareLf },
        { "GET / \n", HttpFault.BareLf },
        { "GET\n", HttpFault.BareLf },
        { "GET \n", HttpFault.BareLf },
        { "\nGET / HTTP/1.1\r\n", HttpFault.BareLf },
        { "\rGET / HTTP/1.1\r\n", HttpFault.BareCr },
        { "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\n", HttpFault.BadMethod },
        { " GET / HTTP/1.1\r\n", HttpFault.BadMethod },
        { "\tGET / HTTP/1.1\r\n", HttpFault.BadMethod },
        { "GET\t/ HTTP/1.1\r\n", HttpFault.BadMethod },
        { "GET\r\n", HttpFault.BadMethod },
        { "G\0T / HTTP/1.1\r\n", HttpFault.BadMethod },
        { "G(T / HTTP/1.1\r\n", HttpFault.BadMethod },
        { "G\xC4T / HTTP/1.1\r\n", HttpFault.BadMethod },
        { "{\"uuid\":1}", HttpFault.BadMethod }, // a body without a head
        { new string('M', 33) + " / HTTP/1.1\r\n", HttpFault.BadMethod },
        { "GET  / HTTP/1.1\r\n", HttpFault.BadTarget },
        { "GET HTTP/1.1\r\n", HttpFault.BadVersion }, // so far the start of an absolute target
        { "GET post HTTP/1.1\r\n", HttpFault.BadTarget },
        { "GET ?a=1 HTTP/1.1\r\n", HttpFault.BadTarget },
        { "GET * HTTP/1.1\r\n", HttpFault.BadTarget },
        { "OPTIONS *x HTTP/1.1\r\n", HttpFault.BadTarget },
        { "CONNECT host:443 HTTP/1.1\r\n", HttpFault.BadTarget },
        { "GET ftp://host/ HTTP/1.1\r\n", HttpFault.BadTarget },
        { "GET http:/host/ HTTP/1.1\r\n", HttpFault.BadTarget },
        { "GET http:// HTTP/1.1\r\n", HttpFault.BadTarget },
        { "GET http:///post HTTP/1.1\r\n", HttpFault.BadTarget },
        { "GET http://user@host/ HTTP/1.1\r\n", HttpFault.BadTarget },
        { "GET http://ho\"st/ HTTP/1.1\r\n", HttpFault.BadTarget },
        { "GET /a\tb HTTP/1.1\r\n", HttpFault.BadTarget },
        { "GET /a\0b HTTP/1.1\r\n", HttpFault.BadTarget },
        { "GET /a\x7F HTTP/1.1\r\n", HttpFault.BadTarget },
        { "GET /a\x0B HTTP/1.1\r\n", HttpFault.BadTarget },
        { "GET /a b HTTP/1.1\r\n", HttpFault.SpaceInTarget },
        { "GET /  HTTP/1.1\r\n", HttpFault.SpaceInTarget },
        { "GET / \tHTTP/1.1\r\n", HttpFault.SpaceInTarget },
    };

    public static TheoryData<string, HttpFault> Fields => new()
    {
        { "X: a\n", HttpFault.BareLf },
        { "X: a\n\r\n", HttpFault.BareLf },
        { "X\n", HttpFault.BareLf },
        { "\n", HttpFault.BareLf },
        { "X:\n", HttpFault.BareLf },
        { "X: a\rb\r\n", HttpFault.BareCr },
        { "X: a\r\r\n", HttpFault.BareCr },
        { "\rX: a\r\n", HttpFault.BareCr },
        { "\r\r\n", HttpFault.BareCr },
        { "X: a\r\n b\r\n", HttpFault.ObsoleteFold },
        { "X: a\r\n\tb\r\n", HttpFault.ObsoleteFold },
        { " X: a\r\n", HttpFault.ObsoleteFold },
        { "X : a\r\n", HttpFault.SpaceBeforeColon },
        { "X\t: a\r\n", HttpFault.SpaceBeforeColon },
        { "X Y: a\r\n", HttpFault.SpaceBeforeColon },
        { "Content-Length : 5\r\n", HttpFault.SpaceBeforeColon },
        { "Transfer-Encoding : chunked\r\n", HttpFault.SpaceBeforeColon },
        { ": a\r\n", HttpFault.BadFieldName },
        { "X\r\n", HttpFault.BadFieldName },
        { "X(: a\r\n", HttpFault.BadFieldName },
        { "X\xC4: a\r\n", HttpFault.BadFieldName },
        { "X\x01: a\r\n", HttpFault.BadFieldName },
        { "\x7F: a\r\n", HttpFault.BadFieldName },
        { "\"X\": a\r\n", HttpFault.BadFieldName },
        { "X\0: a\r\n", HttpFault.Nul },
        { "\0X: a\r\n", HttpFault.Nul },
        { "X: a\0b\r\n", HttpFault.Nul },
        { "X: a\x01\r\n", HttpFault.BadFieldValue },
        { "X: a\x0B\r\n", HttpFault.BadFieldValue },
        { "X: a\x0C\r\n", HttpFault.BadFieldValue },
        { "X: a\x1B\r\n", HttpFault.BadFieldValue },
        { "X: a\x7F\r\n", HttpFault.BadFieldValue },
        { "Host: h\r\n", HttpFault.SeveralHosts },
        { "HOST: other\r\n", HttpFault.SeveralHosts },
        { "Content-Type: a/b\r\nContent-Type: a/c\r\n", HttpFault.SeveralContentTypes },
        { "Content-Type: a/b\r\nContent-Type:\r\n", HttpFault.SeveralContentTypes },
    };

    public static TheoryData<string, HttpFault> Framing => new()
    {
        { "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", HttpFault.LengthWithTransferEncoding },
        { "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", HttpFault.LengthWithTransferEncoding },
        { "Content-Length: 0\r\nTransfer-Encoding: identity\r\n", HttpFault.LengthWithTransferEncoding },
        { "Content-Length: 5\r\nContent-Length: 6\r\n", HttpFault.SeveralContentLengths },
        { "Content-Length: 5\r\nContent-Length: 5\r\n", HttpFault.SeveralContentLengths },
        { "Content-Length: 5\r\ncontent-length: 5\r\n", HttpFault.SeveralContentLengths },
        { "Content-Length: 5, 5\r\n", HttpFault.BadContentLength },
        { "Content-Length: 5,6\r\n", HttpFault.BadContentLength },
        { "Content-Length: +5\r\n", HttpFault.BadContentLength },
        { "Content-Length: -5\r\n", HttpFault.BadContentLength },
        { "Content-Length: -0\r\n", HttpFault.BadContentLength },
        { "Content-Length: 0x5\r\n", HttpFault.BadContentLength },
        { "Content-Length: 5 5\r\n", HttpFault.BadContentLength },
        { "Content-Length: 5_0\r\n", HttpFault.BadContentLength },
        { "Content-Length: 5.0\r\n", HttpFault.BadContentLength },
        { "Content-Length: 1e3\r\n", HttpFault.BadContentLength },
        { "Content-Length: \"5\"\r\n", HttpFault.BadContentLength },
        { "Content-Length: 5;\r\n", HttpFault.BadContentLength },
        { "Content-Length:\r\n", HttpFault.BadContentLength },
        { "Content-Length: \t\r\n", HttpFault.BadContentLength },
        { "Content-Length: \xB2\r\n", HttpFault.BadContentLength }, // a superscript two, a digit to some
        { "Content-Length: \xA0\x35\r\n", HttpFault.BadContentLength },
        { "Content-Length: 9223372036854775808\r\n", HttpFault.BadContentLength },
        { "Content-Length: 18446744073709551621\r\n", HttpFault.BadContentLength }, // 5, modulo 2^64
        { "Content-Length: 1000000000000000000\r\n", HttpFault.BadContentLength }, // an exabyte: 19 digits
        { "Content-Length: 5\x0B\r\n", HttpFault.BadFieldValue },
        { "Transfer-Encoding: chunked, chunked\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: gzip, chunked\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: chunked, gzip\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: gzip\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: identity\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: xchunked\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: chunkedx\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: chunke\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: chunked;q=1\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: \"chunked\"\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: 'chunked'\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: ,chunked\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: chunked,\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding:\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: \xA0" + "chunked\r\n", HttpFault.BadTransferEncoding },
        { "Transfer-Encoding: \x0B" + "chunked\r\n", HttpFault.BadFieldValue },
        { "Transfer-Encoding: chunked\x0B\r\n", HttpFault.BadFieldValue },
        { "Transfer-Encoding: chunked\0\r\n", HttpFault.Nul },
        { "Transfer-Encoding:\r\n chunked\r\n", HttpFault.BadTransferEncoding },
    };

    public static TheoryData<string> BadHosts => new()
    {
        "a b", "a, b", "a/b", "a?b", "a#b", "user@host", "host:x", "host:80:80", "host:-1", "host:123456", "[", "[]", "[::1", "[::1]x", "::1", "a\xE4", "\"a\"", "http://h", "a\\b", "<h>",
    };

    [Theory]
    [MemberData(nameof(RequestLines))]
    public void A_bad_request_line_is_refused_at_the_byte_that_makes_it_bad(string start, HttpFault fault) => Refused(start + "Host: h\r\n\r\n", fault);

    [Theory]
    [MemberData(nameof(Fields))]
    public void A_bad_field_is_refused_at_the_byte_that_makes_it_bad(string lines, HttpFault fault) => Refused(Ok + lines + "\r\n", fault);

    [Theory]
    [MemberData(nameof(Fields))]
    public void A_bad_field_is_refused_from_HTTP_1_0_clients_too(string lines, HttpFault fault) =>
        Refused("POST / HTTP/1.0\r\nHost: h\r\n" + lines + "\r\n", fault);

    [Theory]
    [MemberData(nameof(Framing))]
    public void Ambiguous_framing_is_refused(string lines, HttpFault fault)
    {
        Refused(Ok + lines + "\r\n", fault);
        Refused("POST / HTTP/1.0\r\n" + lines + "\r\n", fault);
    }

    [Theory]
    [MemberData(nameof(BadHosts))]
    public void A_host_that_names_no_host_is_refused(string host) => Refused($"POST / HTTP/1.1\r\nHost: {host}\r\n\r\n", HttpFault.BadHost);

    [Fact]
    public void HTTP_1_1_needs_a_host_and_HTTP_1_0_does_not()
    {
        Refused("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n", HttpFault.MissingHost);
        Refused("POST / HTTP/1.2\r\n\r\n", HttpFault.MissingHost);
        Refused("POST http://host/ HTTP/1.1\r\n\r\n", HttpFault.MissingHost);
        Assert.StartsWith("POST", Split.SameOutcome("POST / HTTP/1.0\r\n\r\n"u8.ToArray(), HeadReading.Outcome), StringComparison.Ordinal);
    }

    [Fact]
    public void No_control_byte_passes_anywhere_in_a_head()
    {
        var good = HeadReading.Bytes("POST /post?a=b HTTP/1.1\r\nHost: h\r\nX-A: b c\r\n\r\n");
        for (var at = 0; at < good.Length - 1; at++) // a byte between the last CR and LF is a bare CR; what follows that LF is body
        {
            foreach (var control in Enumerable.Range(0, 0x20).Append(0x7F).Where(c => c != '\t'))
            {
                byte[] bad = [.. good[..at], (byte)control, .. good[at..]];
                var outcome = HeadReading.Outcome([bad]);
                Assert.False(outcome.StartsWith("POST", StringComparison.Ordinal), $"0x{control:X2} at {at}: {outcome}");
            }
        }
    }

    /// <summary>
    /// The outcome is the fault, over every split. Its position is checked too: one byte less is not yet refused, that byte is enough.
    /// </summary>
    private static void Refused(string text, HttpFault fault)
    {
        var bytes = HeadReading.Bytes(text);
        var outcome = Split.SameOutcome(bytes, HeadReading.Outcome);
        Assert.StartsWith($"{fault} at ", outcome, StringComparison.Ordinal);
        var at = int.Parse(outcome.AsSpan(outcome.LastIndexOf(' ') + 1), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal($"NeedMore after {at}", HeadReading.Outcome([bytes[..at]]));
        Assert.Equal(outcome, HeadReading.Outcome([bytes[..(at + 1)]]));
    }
}
