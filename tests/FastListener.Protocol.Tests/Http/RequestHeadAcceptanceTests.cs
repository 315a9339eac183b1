using FastListener.Protocol.Http;
using FastListener.Protocol.Tests.Support;

namespace FastListener.Protocol.Tests.Http;

/// <summary>Heads that must be understood, and how, however their bytes arrive.</summary>
public class RequestHeadAcceptanceTests
{
    [Fact]
    public void A_head_reads_the_same_however_it_arrives() =>
        Assert.Equal(
            """
            POST /post?format=minidump&token=abc 1.1 [Post /post?format=minidump&token=abc Length 5 keep Identity application/octet-stream]
            Host=listener:6097
            Content-Type=application/octet-stream
            content-length=5
            length 131
            """,
            Read("POST /post?format=minidump&token=abc HTTP/1.1\r\nHost: listener:6097\r\nContent-Type:application/octet-stream\r\ncontent-length: \t5 \t\r\n\r\nbytes"));

    [Fact]
    public void Crashpads_socket_transport_is_understood() => // lenient list: HTTP/1.0 with chunked and without Host
        Assert.Equal(
            """
            POST /?guid=1 1.0 [Post /?guid=1 Chunked 0 close Gzip multipart/form-data; boundary=---MultipartBoundary-x---]
            Content-Encoding=gzip
            Content-Type=multipart/form-data; boundary=---MultipartBoundary-x---
            User-Agent=Crashpad/0.8.0
            Transfer-Encoding=chunked
            length 177
            """,
            Read("POST /?guid=1 HTTP/1.0\r\nContent-Encoding: gzip\r\nContent-Type: multipart/form-data; boundary=---MultipartBoundary-x---\r\nUser-Agent: Crashpad/0.8.0\r\nTransfer-Encoding: chunked\r\n\r\n"));

    [Theory]
    [InlineData("Expect: 100-continue", true)]
    [InlineData("Expect: 100-Continue", true)]
    [InlineData("EXPECT:100-CONTINUE", true)]
    [InlineData("Expect: gzip", false)] // documented samples send it
    [InlineData("Expect: 100-continued", false)]
    [InlineData("Expect:", false)]
    public void Only_100_continue_is_expected_in_any_case(string field, bool expected) =>
        Assert.Equal(expected, Parse($"POST / HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n").ExpectContinue);

    [Fact]
    public void An_HTTP_1_0_client_is_never_sent_100_continue() =>
        Assert.False(Parse("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").ExpectContinue);

    [Fact]
    public void An_upgrade_to_h2c_changes_nothing() // lenient list: curl --http2 against a plain port
    {
        var head = Parse("POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 3\r\n\r\n");
        Assert.True(head.KeepAlive);
        Assert.Equal(new BodyFraming(FramingKind.Length, 3), head.Framing);
    }

    [Theory]
    [InlineData("//post?format=json", "//post?format=json")]
    [InlineData("/u/t/minidump&version=1.0", "/u/t/minidump&version=1.0")]
    [InlineData("/post?a=1&_mod_sync=1?format=dump", "/post?a=1&_mod_sync=1?format=dump")]
    [InlineData("/post?n=\"a\"|<b>^`{}\\#x", "/post?n=\"a\"|<b>^`{}\\#x")]
    [InlineData("/post?n=\xE4\xFF\x80", "/post?n=\xE4\xFF\x80")]
    [InlineData("http://host:6097/post?x=1", "/post?x=1")]
    [InlineData("HTTPS://[::1]:6098/post", "/post")]
    [InlineData("http://host?x=/1", "?x=/1")]
    [InlineData("http://host", "/")]
    public void Targets_are_taken_as_clients_write_them(string target, string pathAndQuery)
    {
        var head = Parse($"POST {target} HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(target, HeadReading.Latin1(head.Target));
        Assert.Equal(pathAndQuery, HeadReading.Latin1(head.PathAndQuery));
    }

    [Fact]
    public void OPTIONS_may_ask_for_the_whole_server()
    {
        var head = Parse("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(RequestMethod.Options, head.Method);
        Assert.Equal("*", HeadReading.Latin1(head.PathAndQuery));
    }

    [Theory]
    [InlineData("POST", RequestMethod.Post)]
    [InlineData("PUT", RequestMethod.Put)]
    [InlineData("GET", RequestMethod.Get)]
    [InlineData("HEAD", RequestMethod.Head)]
    [InlineData("OPTIONS", RequestMethod.Options)]
    [InlineData("post", RequestMethod.Other)] // RFC 9110 9.1: case-sensitive
    [InlineData("PATCH", RequestMethod.Other)]
    [InlineData("!#$%&'*+-.^_`|~09azAZ", RequestMethod.Other)]
    public void Methods_are_tokens(string method, RequestMethod expected)
    {
        var head = Parse($"{method} / HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(expected, head.Method);
        Assert.Equal(method, HeadReading.Latin1(head.MethodBytes));
    }

    [Theory]
    [InlineData("1.0", true)]
    [InlineData("1.1", false)]
    [InlineData("1.2", false)]
    [InlineData("1.9", false)]
    public void Higher_minor_versions_are_served_as_1_1(string version, bool isHttp10) => // RFC 9110 2.5
        Assert.Equal(isHttp10, Parse($"POST / HTTP/{version}\r\nHost: h\r\n\r\n").IsHttp10);

    [Theory]
    [InlineData("")]
    [InlineData("\r\n")]
    [InlineData("\r\n\r\n\r\n\r\n")]
    public void A_few_empty_lines_before_the_request_line_are_skipped(string before) => // RFC 9112 2.2
        Assert.Equal(RequestMethod.Get, Parse(before + "GET / HTTP/1.1\r\nHost: h\r\n\r\n").Method);

    [Fact]
    public void Field_values_hold_tabs_and_bytes_above_0x7F() =>
        Assert.Equal("a\tb \xE4\xFF c", Value("X-A: a\tb \xE4\xFF c"));

    [Theory]
    [InlineData("X-A:", "")]
    [InlineData("X-A: \t ", "")]
    [InlineData("X-A:v", "v")]
    [InlineData("X-A:\t v w \t", "v w")]
    [InlineData("x-a: \"q:\" ,;", "\"q:\" ,;")]
    public void White_space_around_a_value_does_not_belong_to_it(string line, string value) => Assert.Equal(value, Value(line));

    [Theory]
    [InlineData("")]
    [InlineData("localhost")]
    [InlineData("crashes.example.com:6097")]
    [InlineData("127.0.0.1:6098")]
    [InlineData("[2001:db8::1]:6097")]
    [InlineData("[fe80::1%25eth0]")]
    [InlineData("under_score")]
    [InlineData("name:")]
    public void Hosts_are_names_addresses_and_ports(string host) => Parse($"POST / HTTP/1.1\r\nHost: {host}\r\n\r\n");

    [Theory]
    [InlineData("1.1", "", true)]
    [InlineData("1.1", "Connection: close\r\n", false)]
    [InlineData("1.1", "Connection: Keep-Alive\r\n", true)]
    [InlineData("1.1", "Connection: x, CLOSE\r\n", false)]
    [InlineData("1.1", "Connection: keep-alive\r\nConnection: close\r\n", false)]
    [InlineData("1.1", "Connection: closed\r\n", true)]
    [InlineData("1.1", "Transfer-Encoding: chunked\r\n", true)]
    [InlineData("1.0", "", false)]
    [InlineData("1.0", "Connection: , keep-alive\r\n", true)]
    [InlineData("1.0", "Connection: keep-alive, close\r\n", false)]
    [InlineData("1.0", "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n", false)] // RFC 9112 6.1
    public void The_connection_is_kept_or_closed_by_version_and_token(string version, string fields, bool keep) =>
        Assert.Equal(keep, Parse($"POST / HTTP/{version}\r\nHost: h\r\n{fields}\r\n").KeepAlive);

    [Theory]
    [InlineData("", ContentCoding.Identity)]
    [InlineData("Content-Encoding: identity", ContentCoding.Identity)]
    [InlineData("Content-Encoding:", ContentCoding.Identity)]
    [InlineData("Content-Encoding: gzip", ContentCoding.Gzip)]
    [InlineData("content-encoding: X-GZip", ContentCoding.Gzip)]
    [InlineData("Content-Encoding: deflate", ContentCoding.Deflate)]
    [InlineData("Content-Encoding: identity, gzip", ContentCoding.Gzip)]
    [InlineData("Content-Encoding: gzip, gzip", ContentCoding.Unsupported)]
    [InlineData("Content-Encoding: gzip\r\nContent-Encoding: deflate", ContentCoding.Unsupported)]
    [InlineData("Content-Encoding: br", ContentCoding.Unsupported)]
    [InlineData("Content-Encoding: gzip;q=1", ContentCoding.Unsupported)]
    public void Content_codings(string field, ContentCoding coding) =>
        Assert.Equal(coding, Parse($"POST / HTTP/1.1\r\nHost: h\r\n{field}{(field.Length > 0 ? "\r\n" : "")}\r\n").ContentCoding);

    [Theory]
    [InlineData("", FramingKind.None, 0)]
    [InlineData("Content-Length: 0\r\n", FramingKind.Length, 0)]
    [InlineData("Content-Length: 8589934592\r\n", FramingKind.Length, 8589934592)]
    [InlineData("Content-Length: 999999999999999999\r\n", FramingKind.Length, 999999999999999999)]
    [InlineData("Content-Length: 007\r\n", FramingKind.Length, 7)] // RFC 9110 8.6: 1*DIGIT
    [InlineData("Content-Length:\t5 \r\n", FramingKind.Length, 5)]
    [InlineData("Transfer-Encoding: chunked\r\n", FramingKind.Chunked, 0)]
    [InlineData("TRANSFER-ENCODING:\t Chunked\t\r\n", FramingKind.Chunked, 0)]
    public void Framing_is_decided_once(string fields, FramingKind kind, long length) =>
        Assert.Equal(new BodyFraming(kind, length), Parse($"POST / HTTP/1.1\r\nHost: h\r\n{fields}\r\n").Framing);

    [Fact]
    public void Equal_content_types_twice_are_one()
    {
        var head = Parse("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\ncontent-type:  a/b \r\n\r\n");
        Assert.True(head.HasContentType);
        Assert.Equal("a/b", HeadReading.Latin1(head.ContentType));
    }

    [Fact]
    public void Fields_are_handed_out_in_the_order_sent_with_their_names_as_sent()
    {
        var head = Parse("POST / HTTP/1.1\r\nHost: h\r\nX-Submission-Bucket: one\r\nx-submission-bucket: two\r\n\r\n");
        Assert.Equal(3, head.FieldCount);
        Assert.Equal(("X-Submission-Bucket", "one"), (HeadReading.Latin1(head.Field(1).Name), HeadReading.Latin1(head.Field(1).Value)));
        Assert.Equal(("x-submission-bucket", "two"), (HeadReading.Latin1(head.Field(2).Name), HeadReading.Latin1(head.Field(2).Value)));
        Assert.False(head.HasContentType);
        Assert.Throws<ArgumentOutOfRangeException>(() => head.Field(3).Name.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => head.Field(-1).Name.Length);
    }

    [Fact]
    public void Pipelined_heads_are_taken_one_at_a_time_and_the_parser_is_used_again()
    {
        var first = HeadReading.Bytes("POST /1 HTTP/1.0\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nContent-Type: x\r\n\r\n");
        var second = HeadReading.Bytes("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
        byte[] both = [.. first, .. second];
        using var parser = new RequestHeadParser();
        Assert.False(parser.Started);
        Assert.Equal(ParseStatus.Done, parser.Append(both, out var consumed));
        Assert.Equal(first.Length, consumed);
        Assert.True(parser.Started);
        Assert.Equal(ParseStatus.Done, parser.Append(both.AsSpan(consumed), out var more)); // final until Reset
        Assert.Equal(0, more);

        parser.Reset();
        Assert.False(parser.Started);
        Assert.Throws<InvalidOperationException>(() => parser.Head);
        Assert.Equal(HeadReading.Outcome([second]), HeadReading.Outcome(parser, [both[consumed..]]));
    }

    [Fact]
    public void A_parser_that_rejected_is_used_again_after_a_reset()
    {
        using var parser = new RequestHeadParser();
        Assert.Equal(ParseStatus.Rejected, parser.Append("\x16\x03\x01"u8, out _));
        Assert.Equal(ParseStatus.Rejected, parser.Append("GET / HTTP/1.1\r\n"u8, out var consumed));
        Assert.Equal(0, consumed);
        parser.Reset();
        Assert.Equal(HttpFault.None, parser.Fault);
        Assert.Equal(ParseStatus.Done, parser.Append("GET / HTTP/1.0\r\n\r\n"u8, out _));
    }

    [Fact]
    public void A_disposed_parser_gives_its_buffer_back_and_starts_anew()
    {
        var parser = new RequestHeadParser();
        parser.Append("GET / HT"u8, out _);
        parser.Dispose();
        parser.Dispose();
        Assert.False(parser.Started);
        Assert.Equal(ParseStatus.Done, parser.Append("GET / HTTP/1.0\r\n\r\n"u8, out _));
        parser.Dispose();
    }

    private static string Read(string head) => Split.SameOutcome(HeadReading.Bytes(head), HeadReading.Outcome);

    private static string Value(string line) => HeadReading.Latin1(Parse($"POST / HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n").Field(1).Value);

    /// <summary>Parses over every split, then once more to hand the head out.</summary>
    private static RequestHead Parse(string text)
    {
        var bytes = HeadReading.Bytes(text);
        Split.SameOutcome(bytes, HeadReading.Outcome);
        var parser = new RequestHeadParser();
        Assert.Equal(ParseStatus.Done, parser.Append(bytes, out _));
        return parser.Head;
    }
}
