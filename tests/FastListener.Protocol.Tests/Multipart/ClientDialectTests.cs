using System.Text;
using FastListener.Protocol.Multipart;
using FastListener.Protocol.Tests.Support;

namespace FastListener.Protocol.Tests.Multipart;

/// <summary>The multipart body of each known client, with its quirks, over every split: names, file names, types and bytes as it meant them.</summary>
public class ClientDialectTests
{
    private const string Dump = "MDMP\x93\xA7\0\0\r\n--\r\n\r\r\n\xFF\xFE";
    private const string BreakpadBoundary = "---------------------------0123456789abcdef";

    [Fact]
    public void Curl() => Reads(
        "multipart/form-data; boundary=------------------------d74496d66958873e",
        $"""
        --------------------------d74496d66958873e
        Content-Disposition: form-data; name="upload_file"; filename="crash.dmp"
        Content-Type: application/octet-stream

        {Dump}
        --------------------------d74496d66958873e
        Content-Disposition: form-data; name="attachment_test.json"; filename="a%22b.json"
        Content-Type: application/json

        {"{}"}
        --------------------------d74496d66958873e--

        """,
        ("upload_file", "crash.dmp", "application/octet-stream", Dump),
        ("attachment_test.json", "a\"b.json", "application/json", "{}"));

    [Fact]
    public void Crashpad() => Reads(
        "multipart/form-data; boundary=---MultipartBoundary-aB3dEfGhIjKlMnOpQrStUvWxYz012345---",
        $"""
        -----MultipartBoundary-aB3dEfGhIjKlMnOpQrStUvWxYz012345---
        Content-Disposition: form-data; name="a%22b%0D%0Ac%25"

        value with %25
        -----MultipartBoundary-aB3dEfGhIjKlMnOpQrStUvWxYz012345---
        Content-Disposition: form-data; name="app.log"; filename="app.log"
        Content-Type: application/octet-stream

        log
        -----MultipartBoundary-aB3dEfGhIjKlMnOpQrStUvWxYz012345---
        Content-Disposition: form-data; name="upload_file_minidump"; filename="6b5c0f5e.dmp"
        Content-Type: application/octet-stream

        {Dump}
        -----MultipartBoundary-aB3dEfGhIjKlMnOpQrStUvWxYz012345-----

        """,
        ("a\"b\r\nc%", null, "", "value with %25"),
        ("app.log", "app.log", "application/octet-stream", "log"),
        ("upload_file_minidump", "6b5c0f5e.dmp", "application/octet-stream", Dump));

    [Fact]
    public void Breakpad_on_Linux() => Reads( // a libcurl form
        "multipart/form-data; boundary=------------------------1234567890abcdef",
        $"""
        --------------------------1234567890abcdef
        Content-Disposition: form-data; name="prod"

        App
        --------------------------1234567890abcdef
        Content-Disposition: form-data; name="attachment_log"; filename="x.log"
        Content-Type: text/plain

        line

        --------------------------1234567890abcdef
        Content-Disposition: form-data; name="upload_file_minidump"; filename="1.dmp"
        Content-Type: application/octet-stream

        {Dump}
        --------------------------1234567890abcdef--

        """,
        ("prod", null, "", "App"),
        ("attachment_log", "x.log", "text/plain", "line\r\n"),
        ("upload_file_minidump", "1.dmp", "application/octet-stream", Dump));

    [Fact]
    public void Breakpad_on_Windows_with_its_full_paths() => Reads(
        $"multipart/form-data; boundary={BreakpadBoundary}",
        $"""
        --{BreakpadBoundary}
        Content-Disposition: form-data; name="ver"

        1.0
        --{BreakpadBoundary}
        Content-Disposition: form-data; name="upload_file_minidump"; filename="C:\Users\new\temp\{'r'}un.dmp"
        Content-Type: application/octet-stream

        {Dump}
        --{BreakpadBoundary}--

        """,
        ("ver", null, "", "1.0"),
        ("upload_file_minidump", @"C:\Users\new\temp\run.dmp", "application/octet-stream", Dump));

    [Fact]
    public void Breakpad_on_macOS_with_its_glued_delimiters() => Reads( // lenient list: no CRLF after a file part
        $"multipart/form-data; boundary={BreakpadBoundary}",
        $"""
        --{BreakpadBoundary}
        Content-Disposition: form-data; name="pro%20d"

        A
        --{BreakpadBoundary}
        Content-Disposition: form-data; name="upload_file_minidump"; filename="minidump.dmp"
        Content-Type: application/octet-stream

        {Dump}--{BreakpadBoundary}
        Content-Disposition: form-data; name="attachment_log"; filename="minidump.dmp"
        Content-Type: application/octet-stream

        ends with dashes -----{BreakpadBoundary}
        Content-Disposition: form-data; name="attachment_2"; filename="minidump.dmp"

        last
        --{BreakpadBoundary}--

        """,
        ("pro d", null, "", "A"),
        ("upload_file_minidump", "minidump.dmp", "application/octet-stream", Dump),
        ("attachment_log", "minidump.dmp", "application/octet-stream", "ends with dashes ---"),
        ("attachment_2", "minidump.dmp", "", "last"));

    [Fact]
    public void Cocoa_with_its_wrong_closing_delimiter() => Reads( // lenient list: the body ends --B CRLF --
        "multipart/form-data; boundary=Boundary-E621E1F8-C36C-495A-93FC-0C247A3E6E5F",
        $"""
        --Boundary-E621E1F8-C36C-495A-93FC-0C247A3E6E5F
        Content-Disposition: form-data; name="say "hi""

        v
        --Boundary-E621E1F8-C36C-495A-93FC-0C247A3E6E5F
        Content-Disposition: form-data; name="upload_file"; filename="upload_file"
        Content-Type: application/octet-stream

        {Dump}
        --Boundary-E621E1F8-C36C-495A-93FC-0C247A3E6E5F
        --
        """,
        ("say \"hi\"", null, "", "v"),
        ("upload_file", "upload_file", "application/octet-stream", Dump));

    [Fact]
    public void React_Native_on_iOS() => Reads(
        "multipart/form-data; boundary=Boundary-1",
        $"""
        --Boundary-1
        Content-Disposition: form-data; name="upload_file"; filename="upload_file"
        Content-Type: application/octet-stream

        {Dump}
        --Boundary-1
        Content-Disposition: form-data; name="x.log(1)"; filename="x.log(1)"
        Content-Type: application/octet-stream

        log
        --Boundary-1--

        """,
        ("upload_file", "upload_file", "application/octet-stream", Dump),
        ("x.log(1)", "x.log(1)", "application/octet-stream", "log"));

    [Fact]
    public void Android_and_Java_with_five_stars() => Reads( // lenient list: ;boundary=***** and Content-Type: null
        "multipart/form-data;boundary=*****",
        """
        --*****
        Content-Disposition: form-data; name="upload_file";filename="upload_file.json"

        {"uuid":1}
        --*****
        Content-Disposition: form-data; name="attachment_0";filename="a b.txt"
        Content-Type: null

        text
        --*****--

        """,
        ("upload_file", "upload_file.json", "", "{\"uuid\":1}"),
        ("attachment_0", "a b.txt", "null", "text"));

    [Fact]
    public void CSharp_with_unquoted_names_and_encoded_words() => Reads( // lenient list: unquoted and RFC 2047 names
        "multipart/form-data; boundary=\"----------0123456789abcdef0123456789abcdef\"",
        $$"""
        ------------0123456789abcdef0123456789abcdef
        Content-Type: application/json
        Content-Disposition: form-data; name=upload_file; filename="upload_file.json"

        {}
        ------------0123456789abcdef0123456789abcdef
        Content-Disposition: form-data; name="=?utf-8?B?{{Base64("attachment_größe.log")}}?="; filename="=?utf-8?B?{{Base64("größe.log")}}?="; filename*=utf-8''gr%C3%B6%C3%9Fe.log
        Content-Type: application/octet-stream

        x
        ------------0123456789abcdef0123456789abcdef--

        """,
        ("upload_file", "upload_file.json", "application/json", "{}"),
        ("attachment_größe.log", "größe.log", "application/octet-stream", "x"));

    [Fact]
    public void Unity_with_a_leading_line_end_and_nameless_files() => Reads( // lenient list: leading CRLF, parts without a name
        "multipart/form-data; boundary=\"aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789abcd\"",
        """

        --aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789abcd
        Content-Disposition: form-data; name="upload_file"; filename="upload_file.json"
        Content-Type: application/json

        {}
        --aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789abcd
        Content-Disposition: form-data; name="version"
        Content-Type: text/plain; encoding=utf-8

        1
        --aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789abcd
        Content-Disposition: form-data; filename="attachment_x.log"
        Content-Type: application/octet-stream

        log
        --aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789abcd--

        """,
        ("upload_file", "upload_file.json", "application/json", "{}"),
        ("version", null, "text/plain; encoding=utf-8", "1"),
        (null, "attachment_x.log", "application/octet-stream", "log"));

    [Fact]
    public void Old_Unity_with_the_disposition_file() => Reads(
        "multipart/form-data; boundary=u",
        """
        --u
        Content-Disposition: file; filename="upload_file"
        Content-Type: application/octet-stream

        MDMP
        --u--

        """,
        (null, "upload_file", "application/octet-stream", "MDMP"));

    [Fact]
    public void Form_data_of_node() => Reads(
        "multipart/form-data; boundary=--------------------------123456789012345678901234",
        """
        ----------------------------123456789012345678901234
        Content-Disposition: form-data; name="upload_file"; filename="upload_file.json"
        Content-Type: application/json

        {}
        ----------------------------123456789012345678901234
        Content-Disposition: form-data; name="attachment_0"; filename="a.bin"
        Content-Type: application/octet-stream


        ----------------------------123456789012345678901234--

        """,
        ("upload_file", "upload_file.json", "application/json", "{}"),
        ("attachment_0", "a.bin", "application/octet-stream", ""));

    [Fact]
    public void A_browser_that_sends_the_report_as_a_text_field() => Reads( // lenient list
        "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
        """
        ------WebKitFormBoundary7MA4YWxkTrZu0gW
        Content-Disposition: form-data; name="upload_file"

        {"a":"b"}
        ------WebKitFormBoundary7MA4YWxkTrZu0gW
        Content-Disposition: form-data; name="attachment_0"; filename="blob"
        Content-Type: text/plain

        t
        ------WebKitFormBoundary7MA4YWxkTrZu0gW
        Content-Disposition: form-data; name="attachment_1"

        text
        ------WebKitFormBoundary7MA4YWxkTrZu0gW
        Content-Disposition: form-data; name="f"; filename=""
        Content-Type: application/octet-stream


        ------WebKitFormBoundary7MA4YWxkTrZu0gW--

        """,
        ("upload_file", null, "", "{\"a\":\"b\"}"),
        ("attachment_0", "blob", "text/plain", "t"),
        ("attachment_1", null, "", "text"),
        ("f", "", "application/octet-stream", ""));

    [Fact]
    public void Python_with_raw_UTF_8_names_and_the_full_path() => Reads(
        "multipart/form-data; boundary=0123456789abcdef0123456789abcdef",
        $$"""
        --0123456789abcdef0123456789abcdef
        Content-Disposition: form-data; name="upload_file"; filename="upload_file"

        {}
        --0123456789abcdef0123456789abcdef
        Content-Disposition: form-data; name="attachment_{{Utf8("größe")}}"; filename="/home/u/{{Utf8("größe")}}.log"

        x
        --0123456789abcdef0123456789abcdef
        Content-Disposition: form-data; name*=utf-8''attachment_gr%C3%B6; filename*=utf-8''gr%C3%B6.log

        y
        --0123456789abcdef0123456789abcdef--

        """,
        ("upload_file", "upload_file", "", "{}"),
        ("attachment_größe", "/home/u/größe.log", "", "x"),
        ("attachment_grö", "grö.log", "", "y"));

    [Fact]
    public void A_form_inside_the_dump_part_as_old_Electron_on_Linux_sends_it()
    {
        var inner = HeadReading.Bytes("--inner-b\r\nContent-Disposition: form-data; name=\"prod\"\r\n\r\nE\r\n--inner-b\r\nContent-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"x.dmp\"\r\n\r\n" + Dump + "\r\n--inner-b--\r\n");
        var outer = MultipartReading.ReadEveryWay("B", [.. "--B\r\nContent-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"x.dmp\"\r\n\r\n"u8, .. inner, .. "\r\n--B--\r\n"u8]);
        Assert.Equal(inner, outer.Parts.Single().Data);

        var boundary = new byte[Boundary.MaxBytes];
        Assert.True(Boundary.TryReadNested(outer.Parts[0].Data, boundary, out var length));
        var nested = MultipartReading.ReadEveryWay(HeadReading.Latin1(boundary.AsSpan(0, length)), inner);
        Assert.Equal(["prod", "upload_file_minidump"], nested.Parts.Select(p => p.Name));
        Assert.Equal(Dump, nested.Parts[1].Text);
    }

    private static void Reads(string contentType, string body, params (string? Name, string? FileName, string Type, string Data)[] parts)
    {
        var boundary = new byte[Boundary.MaxBytes];
        Assert.True(Boundary.TryRead(HeadReading.Bytes(contentType), boundary, out var length));
        // Raw string literals end lines as this file does (LF); the wire wants CRLF, and the dump keeps its own bytes.
        var bytes = HeadReading.Bytes(body.Replace(Dump, "\x01", StringComparison.Ordinal).ReplaceLineEndings("\r\n").Replace("\x01", Dump, StringComparison.Ordinal));
        var read = MultipartReading.ReadEveryWay(HeadReading.Latin1(boundary.AsSpan(0, length)), bytes);
        Assert.Equal(MultipartFault.None, read.Fault);
        Assert.Equal(parts, read.Parts.Select(p => (p.Name, p.FileName, p.ContentType, p.Text)));
        Assert.All(read.Parts, p => Assert.True(p.Ended));
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>Text whose Latin-1 bytes are the UTF-8 of <paramref name="text"/>.</summary>
    private static string Utf8(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));
}
