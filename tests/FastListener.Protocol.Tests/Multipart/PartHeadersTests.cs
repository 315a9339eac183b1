using System.Text;
using CsCheck;
using FastListener.Protocol.Multipart;
using FastListener.Protocol.Tests.Support;

namespace FastListener.Protocol.Tests.Multipart;

/// <summary>Header lines of a part: which name is meant, and when a part is refused because that would be a guess.</summary>
public class PartHeadersTests
{
    [Theory]
    [InlineData("form-data; name=\"a\"", "a", null)]
    [InlineData("form-data; name=a", "a", null)]
    [InlineData("form-data;name=a;filename=b.dmp", "a", "b.dmp")]
    [InlineData("FORM-DATA; NAME=\"a\"; FileName=\"B\"", "a", "B")]
    [InlineData("form-data; filename=\"b\"; name=\"a\"", "a", "b")]
    [InlineData("form-data ; name = \"a\" ; filename = b c ", "a", "b c")]
    [InlineData("form-data; x; name=\"a\"; y=\"z;name=q\"", "a", null)]
    [InlineData("form-data", null, null)]
    [InlineData("form-data;", null, null)]
    [InlineData("form-data; name=\"\"", "", null)]
    [InlineData("form-data; name=", "", null)]
    [InlineData("attachment; filename=\"f\"", null, "f")]
    [InlineData("form-data; name=\"a;b=c\"; filename=\"d\"", "a;b=c", "d")]
    [InlineData("form-data; xname=\"no\"; name=\"a\"", "a", null)]
    public void Parameters_are_found_in_any_order_case_and_spacing(string disposition, string? name, string? fileName) => Reads(disposition, name, fileName);

    [Theory]
    [InlineData(@"C:\Users\new\temp\run.dmp", @"C:\Users\new\temp\run.dmp")] // Breakpad on Windows
    [InlineData(@"\\server\share\run.dmp", @"\\server\share\run.dmp")]
    [InlineData(@"C:\\dir\\run.dmp", @"C:\dir\run.dmp")] // written by an escaper
    [InlineData(@"a\""b", "a\"b")]
    [InlineData(@"a\\\""b", "a\\\"b")]
    [InlineData(@"C:\dir\a\""b", "C:\\dir\\a\"b")]
    [InlineData("a\"b", "a\"b")] // not escaped at all: Cocoa
    [InlineData("a\" b\"c", "a\" b\"c")]
    [InlineData("say \"hi\"", "say \"hi\"")]
    [InlineData("a%22b%0D%0Ac%25d", "a\"b\r\nc%d")]
    [InlineData("100%", "100%")]
    [InlineData("%zz%4", "%zz%4")]
    [InlineData("a%00b", "a%00b")]
    [InlineData("%FF%FE", "%FF%FE")] // would not be text
    [InlineData("gr%C3%B6%C3%9Fe", "größe")]
    [InlineData("gr\xC3\xB6\xC3\x9F" + "e", "größe")] // raw UTF-8
    [InlineData("gr\xF6\xDF" + "e", "größe")] // raw ISO-8859-1
    [InlineData("gr\xF6%41", "grö%41")]
    [InlineData("=?utf-8?B?Z3LDtsOfZQ==?=", "größe")]
    [InlineData("=?UTF-8?b?Z3LDtsOfZQ==?=", "größe")]
    [InlineData("=?iso-8859-1?Q?gr=F6=DFe_x?=", "größe x")]
    [InlineData("=?utf-8?Q?a?= =?utf-8?Q?b?= c", "ab c")]
    [InlineData("x=?utf-8?Q?a?=y", "xay")]
    [InlineData("=?koi8-r?B?Z3I=?=", "=?koi8-r?B?Z3I=?=")]
    [InlineData("=?utf-8?B?####?=", "=?utf-8?B?####?=")]
    [InlineData("=?utf-8?B?AA==?=", "=?utf-8?B?AA==?=")] // a NUL
    [InlineData("=?utf-8?X?a?=", "=?utf-8?X?a?=")]
    [InlineData("=?utf-8?B?", "=?utf-8?B?")]
    [InlineData("=?", "=?")]
    [InlineData("a=b", "a=b")]
    [InlineData("../../etc/passwd", "../../etc/passwd")]
    public void Names_come_out_as_the_client_meant_them(string written, string meant)
    {
        Reads($"form-data; name=\"{written}\"", meant, null);
        Reads($"form-data; name=\"x\"; filename=\"{written}\"", "x", meant);
        Reads($"form-data; filename=\"{written}\"; name=\"x\"", "x", meant);
    }

    [Theory]
    [InlineData("name=\"x\"; filename=\"C:\\dir\\\"", "x", @"C:\dir\")] // no other quote could end it
    [InlineData("filename=\"C:\\dir\\\"; name=\"x\"", null, "C:\\dir\"; name=\"x")] // by the book an escaped quote (RFC 9110 5.6.4)
    public void A_backslash_before_the_last_quote_belongs_to_the_path(string parameters, string? name, string fileName) => Reads("form-data; " + parameters, name, fileName);

    [Theory]
    [InlineData("filename*=utf-8''gr%C3%B6%C3%9Fe", "größe")]
    [InlineData("filename*=UTF-8'de'gr%C3%B6", "grö")]
    [InlineData("filename*=iso-8859-1''gr%F6", "grö")]
    [InlineData("filename=\"plain\"; filename*=utf-8''ext", "ext")]
    [InlineData("filename*=utf-8''ext; filename=\"plain\"", "ext")]
    [InlineData("filename=\"plain\"; filename*=utf-8''%FF", "plain")]
    [InlineData("filename=\"plain\"; filename*=koi8-r''a", "plain")]
    [InlineData("filename=\"plain\"; filename*=nonsense", "plain")]
    [InlineData("filename=\"plain\"; filename*=utf-8''a%00b", "plain")]
    [InlineData("filename*=\"utf-8''quoted\"", "quoted")]
    public void Extended_parameters_win_when_they_can_be_read(string parameters, string fileName) => Reads("form-data; name=n; " + parameters, "n", fileName);

    [Theory]
    [InlineData("Content-Disposition: form-data; name=\"a\"; name=\"b\"\r\n")]
    [InlineData("Content-Disposition: form-data; name=\"a\"; NAME=a\r\n")]
    [InlineData("Content-Disposition: form-data; filename=a; filename=\"b\"\r\n")]
    [InlineData("Content-Disposition: form-data; filename*=utf-8''a; filename*=utf-8''b\r\n")]
    [InlineData("Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"a\"\r\n")]
    [InlineData("Content-Type: a/b\r\nContent-Type: a/b\r\n")]
    [InlineData("Content-Disposition: form-data; name=\"a\r\n")]
    [InlineData("Content-Disposition: form-data; name=\"a\"x\r\n")]
    [InlineData("Content-Disposition: form-data; name=\"a\" filename=b\r\n")]
    [InlineData("Content-Disposition\r\n")]
    [InlineData("Content-Disposition : form-data\r\n")]
    [InlineData(": form-data\r\n")]
    [InlineData(" X: y\r\n")]
    [InlineData("X(y): z\r\n")]
    [InlineData("X: a\nContent-Disposition: form-data; name=b\r\n")]
    [InlineData("X: a\rb\r\n")]
    [InlineData("X: a\0b\r\n")]
    public void Malformed_or_ambiguous_heads_are_refused(string head)
    {
        var read = MultipartReading.ReadEveryWay("B", HeadReading.Bytes($"--B\r\n{head}\r\nv\r\n--B--"));
        Assert.Equal(MultipartFault.BadPartHead, read.Fault);
        Assert.Empty(read.Parts);
    }

    [Fact]
    public void Hostile_quoting_ends_after_a_bounded_number_of_parameters() =>
        Assert.Equal(MultipartFault.BadPartHead, MultipartReading.ReadEveryWay("B", HeadReading.Bytes("--B\r\nContent-Disposition: x" + string.Concat(Enumerable.Repeat(";a=\"\\\"", 40)) + "\r\n\r\nv\r\n--B--")).Fault);

    [Fact]
    public void Folded_lines_are_one_line() => // RFC 5322 2.2.3; MIME allows it
        Parse("Content-Disposition: form-data;\r\n\tname=\"a\";\r\n filename=\"b\"\r\nContent-Type:\r\n text/plain\r\n", part =>
        {
            Assert.Equal("a", Encoding.UTF8.GetString(part.Name));
            Assert.Equal("b", Encoding.UTF8.GetString(part.FileName));
            Assert.Equal("text/plain", Encoding.UTF8.GetString(part.ContentType));
        });

    [Theory]
    [InlineData("name=\"n\"; filename=\"f\"", "n")]
    [InlineData("filename=\"f\"", "f")] // Unity
    [InlineData("name=\"\"; filename=\"f\"", "f")]
    [InlineData("x=y", "")]
    public void The_key_is_the_name_or_else_the_file_name(string parameters, string key) =>
        Parse($"Content-Disposition: form-data; {parameters}\r\n", part => Assert.Equal(key, Encoding.UTF8.GetString(part.Key)));

    [Theory]
    [InlineData("/home/u/a.log", "a.log")]
    [InlineData(@"C:\x\a.log", "a.log")]
    [InlineData(@"C:\x/y\a.log", "a.log")]
    [InlineData("a.log", "a.log")]
    [InlineData("dir/", "")]
    [InlineData("..", "..")]
    public void The_base_name_is_what_follows_the_last_separator(string fileName, string baseName) =>
        Parse($"Content-Disposition: form-data; filename=\"{fileName}\"\r\n", part => Assert.Equal(baseName, Encoding.UTF8.GetString(part.BaseName)));

    [Theory]
    [InlineData("", PartTransferEncoding.Identity)]
    [InlineData("Content-Transfer-Encoding: 7bit\r\n", PartTransferEncoding.Identity)]
    [InlineData("content-transfer-encoding: 8BIT\r\n", PartTransferEncoding.Identity)]
    [InlineData("Content-Transfer-Encoding: binary\r\n", PartTransferEncoding.Identity)]
    [InlineData("Content-Transfer-Encoding: Base64\r\n", PartTransferEncoding.Base64)]
    [InlineData("Content-Transfer-Encoding: quoted-printable\r\n", PartTransferEncoding.QuotedPrintable)]
    [InlineData("Content-Transfer-Encoding: x-uue\r\n", PartTransferEncoding.Other)]
    public void The_transfer_encoding_is_told(string line, PartTransferEncoding encoding) =>
        Parse(line + "X-Other: y\r\n", part => Assert.Equal(encoding, part.TransferEncoding));

    [Fact]
    public void Nothing_of_one_part_is_left_in_the_next()
    {
        var read = MultipartReading.ReadEveryWay("B", "--B\r\nContent-Disposition: form-data; name=a; filename=f\r\nContent-Type: t\r\n\r\n1\r\n--B\r\nX: y\r\n\r\n2\r\n--B--"u8.ToArray());
        Assert.Equal(("a", "f", "t"), (read.Parts[0].Name, read.Parts[0].FileName, read.Parts[0].ContentType));
        Assert.Equal((null, null, ""), (read.Parts[1].Name, read.Parts[1].FileName, read.Parts[1].ContentType));
    }

    [Fact]
    public void Every_name_of_every_bytes_is_UTF_8_without_NUL() =>
        Gen.Select(Gen.Byte.Array[0, 60], Gen.Bool).Sample((bytes, words) =>
        {
            var name = bytes.Where(b => b is not (0 or (byte)'\r' or (byte)'\n')).ToArray();
            byte[] written = words ? [.. "=?iso-8859-1?Q?"u8, .. name, .. "?= %"u8, .. name] : name;
            byte[] body = [.. "--B\r\nContent-Disposition: form-data; name=\""u8, .. written, .. "\"\r\n\r\nv\r\n--B--"u8];
            using var parser = new MultipartParser();
            parser.Reset("B"u8);
            if (parser.Next(body, out _) == MultipartEvent.PartBegin)
            {
                Assert.True(System.Text.Unicode.Utf8.IsValid(parser.Part.Name));
                Assert.False(parser.Part.Name.Contains((byte)0));
            }
        });

    [Fact]
    public void The_usual_head_says_what_the_same_in_another_spelling_says()
    {
        // The usual spelling of a head with one plain name is recognised whole; any other, here a blank less, goes through the grammar.
        const string Special = "\"\\%=?;._\u00e9";
        string[] tails =
        [
            "\"\r\n", "\"\r\n", "\"\r\n", "\" \r\n", "\r\n", "\"x\r\n", "%41\"\r\n", "\"\r\n folded\r\n", "\"; filename=\"a\"\r\n", "\"\r\nContent-Type: t\r\n",
        ];
        var letter = Gen.Frequency((6, Gen.Char['a', 'z']), (2, Gen.Char[' ', '~']), (1, Gen.Int[0, Special.Length - 1].Select(i => Special[i])));
        var tail = Gen.Int[0, tails.Length - 1].Select(i => tails[i]);
        Gen.Select(letter.Array[0, 12], tail).Sample((letters, end) =>
            Assert.Equal(Said("Content-Disposition:form-data; name=\"" + new string(letters) + end), Said("Content-Disposition: form-data; name=\"" + new string(letters) + end)), iter: 20_000);

        static string Said(string head)
        {
            using var parser = new MultipartParser();
            parser.Reset("B"u8);
            var found = parser.Next(HeadReading.Bytes($"--B\r\n{head}\r\nv\r\n--B--"), out _);
            var part = parser.Part;
            return found is MultipartEvent.PartBegin
                ? $"{part.HasName} {Convert.ToHexString(part.Name)} {part.HasFileName} {Convert.ToHexString(part.FileName)} {Convert.ToHexString(part.ContentType)} {part.TransferEncoding}"
                : $"{found} {parser.Fault}";
        }
    }

    private static void Reads(string disposition, string? name, string? fileName)
    {
        var read = MultipartReading.ReadEveryWay("B", HeadReading.Bytes($"--B\r\nContent-Disposition: {disposition}\r\n\r\nv\r\n--B--"));
        Assert.Equal(MultipartFault.None, read.Fault);
        var part = Assert.Single(read.Parts);
        Assert.Equal((name, fileName), (part.Name, part.FileName));
    }

    private static void Parse(string head, Action<PartHeaders> check)
    {
        using var parser = new MultipartParser();
        parser.Reset("B"u8);
        Assert.Equal(MultipartEvent.PartBegin, parser.Next(HeadReading.Bytes($"--B\r\n{head}\r\nv\r\n--B--"), out _));
        check(parser.Part);
    }
}
