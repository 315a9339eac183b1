using FastListener.Tests.Support;
using FastListener.Protocol.Multipart;
using FastListener.Protocol.Tests.Support;

namespace FastListener.Protocol.Tests.Multipart;

/// <summary>Delimiters, almost-delimiters, endings and limits, over every split.</summary>
public class MultipartParserTests
{
    private const string Mac = "---------------------------0123456789abcdef";
    private const string Head = "Content-Disposition: form-data; name=\"d\"\r\n\r\n";

    /// <summary>Contents that look like delimiters of boundary <c>B</c> and are none. Each must survive byte for byte.</summary>
    public static TheoryData<string> AlmostDelimiters => new()
    {
        "", "\r", "\n", "\r\n", "\r\n\r\n", "\r\r\n", "-", "--", "--B", "--B--", "x--B\r\n", "\n--B\r\n", "\r--B--", "\r\n-", "\r\n--", "\r\n--A", "\r\n--b\r\n", "\r\n-B--",
        "\r\n--BB\r\n", "\r\n--Bx", "\r\n--B-", "\r\n--B-x", "\r\n--B- -", "\r\n--B x", "\r\n--B\tx\r\n", "\r\n--B\n", "\r\n--B\r", "\r\n--B\rx", "\r\n--B\r\r\n", "\r\n--B \rx", "\r\n--B -",
        "\r\n--B\0", "\r\n--B\r\r\n--Bx", "\r\n--\r\n--Bx", "\r\n\r\n--Bx", "\r\r\n--Bx", "\r\n--B-\r\n--Bx", "\r\n--B \r\r\n--Bx\r\n--B-", "\r\n--BContent-Disposition: x",
        "\r\n--B" + new string(' ', 65) + "\r\n", "\r\n--B" + new string('\t', 400), "MDMP\r\n--Boundary--\r\nrest of the dump",
    };

    [Theory]
    [MemberData(nameof(AlmostDelimiters))]
    public void What_is_almost_a_delimiter_is_data(string contents)
    {
        if (contents.StartsWith("--B", StringComparison.Ordinal))
        {
            contents = "." + contents; // right at its start a part's contents do end at --B: see the part without contents
        }

        var read = MultipartReading.ReadEveryWay("B", HeadReading.Bytes($"--B\r\n{Head}{contents}\r\n--B\r\n{Head}second\r\n--B--"));
        Assert.Equal(MultipartFault.None, read.Fault);
        Assert.Equal([contents, "second"], read.Parts.Select(p => p.Text));
    }

    [Theory]
    [InlineData("-")]
    [InlineData("--")]
    [InlineData("-----------------------------")]
    [InlineData("--------------------------------------------")]
    [InlineData(".--" + Mac)]
    [InlineData(".--" + Mac + "\r\n")]
    [InlineData(".--" + Mac + "\r\nContent")]
    [InlineData(".--" + Mac + "\r\nContentX")]
    [InlineData(".--" + Mac + "\nContent-")]
    [InlineData(".--" + Mac + "--")]
    [InlineData(".--" + Mac + "--\r\n")]
    [InlineData(".--" + Mac + "x\r\nContent-")]
    [InlineData(".---------------------------------0123456789abcdeX")]
    [InlineData(".---------------------------------0123456789abcde-----------------------------")]
    [InlineData("\r\n--" + Mac + "-")]
    [InlineData("\r\n--" + Mac + "x")]
    [InlineData("\r\n--" + Mac + " \rx-")]
    [InlineData("\r\n---" + Mac + "\r\nconTent-")]
    public void Almost_delimiters_of_Breakpads_form_are_data(string contents)
    {
        var read = MultipartReading.ReadEveryWay(Mac, HeadReading.Bytes($"--{Mac}\r\n{Head}{contents}\r\n--{Mac}\r\n{Head}second\r\n--{Mac}--\r\n"));
        Assert.Equal(MultipartFault.None, read.Fault);
        Assert.Equal([contents, "second"], read.Parts.Select(p => p.Text));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("a-")]
    [InlineData("a------------------------------------------")]
    [InlineData("a\r")]
    [InlineData("a\n")]
    [InlineData("a\r\n-")]
    [InlineData("a---------------------------0123456789abcde")]
    public void A_glued_delimiter_ends_a_part_of_Breakpads_form_only(string contents)
    {
        string Body(string boundary) => $"--{boundary}\r\n{Head}{contents}--{boundary}\r\n{Head}second\r\n--{boundary}--\r\n";
        var read = MultipartReading.ReadEveryWay(Mac, HeadReading.Bytes(Body(Mac)));
        Assert.Equal(MultipartFault.None, read.Fault);
        Assert.Equal([contents, "second"], read.Parts.Select(p => p.Text));

        if (contents.Length > 0)
        {
            foreach (var other in (string[])["B", Mac[1..], "-" + Mac, Mac[..^1] + "g", Mac + "0"])
            {
                var whole = MultipartReading.ReadEveryWay(other, HeadReading.Bytes(Body(other)));
                Assert.Equal([$"{contents}--{other}\r\n{Head}second"], whole.Parts.Select(p => p.Text));
            }
        }
    }

    [Theory]
    [InlineData("--B\r\n")]
    [InlineData("\r\n--B\r\n")]
    [InlineData("\r\n\r\n--B\r\n")]
    [InlineData("This is a message of several parts.\r\n--B\r\n")]
    [InlineData("--Bx\r\n--B\r\n")]
    [InlineData("x--B\r\n--B\r\n")]
    [InlineData("--B \t\r\n")]
    [InlineData("--B                                                                \r\n")]
    public void The_first_delimiter_may_come_after_a_preamble(string start)
    {
        var read = MultipartReading.ReadEveryWay("B", HeadReading.Bytes($"{start}{Head}v\r\n--B--"));
        Assert.Equal("v", Assert.Single(read.Parts).Text);
        Assert.Equal(MultipartFault.None, read.Fault);
    }

    [Theory]
    [InlineData("\r\n--B--")]
    [InlineData("\r\n--B--\r\n")]
    [InlineData("\r\n--B--epilogue\r\n--B\r\nnot a part")]
    [InlineData("\r\n--B--\0\0\0")]
    [InlineData("\r\n--B\r\n--")] // Cocoa
    public void Endings_that_are_accepted(string ending)
    {
        var read = MultipartReading.ReadEveryWay("B", HeadReading.Bytes($"--B\r\n{Head}v{ending}"));
        Assert.Equal(MultipartFault.None, read.Fault);
        Assert.Equal("v", Assert.Single(read.Parts).Text);
    }

    [Theory]
    [InlineData("--B\r\n--", MultipartFault.Truncated)] // Cocoa always sends parts
    [InlineData("--B\r\n" + Head + "v\r\n--B\r\n-", MultipartFault.Truncated)]
    [InlineData("--B\r\n" + Head + "v\r\n--B\r\n--\r", MultipartFault.Truncated)]
    [InlineData("--B\r\n" + Head + "v\r\n--B\r\n--\r\n\r\n", MultipartFault.BadPartHead)]
    [InlineData("--B\r\n" + Head + "v\r\n--B\r\n", MultipartFault.Truncated)]
    [InlineData("--B\r\n" + Head + "v\r\n--B-", MultipartFault.Truncated)]
    [InlineData("--B\r\n" + Head + "v\r\n--B", MultipartFault.Truncated)]
    [InlineData("--B\r\n" + Head + "v\n--B--\n", MultipartFault.Truncated)] // LF only: no client does, and a dump may hold it
    [InlineData("", MultipartFault.MissingFirstDelimiter)]
    [InlineData("MDMP", MultipartFault.MissingFirstDelimiter)]
    [InlineData("--B", MultipartFault.MissingFirstDelimiter)]
    [InlineData("--C\r\n" + Head + "v\r\n--C--", MultipartFault.MissingFirstDelimiter)]
    public void Endings_that_are_refused(string body, MultipartFault fault) => Assert.Equal(fault, MultipartReading.ReadEveryWay("B", HeadReading.Bytes(body)).Fault);

    [Fact]
    public void Every_truncation_is_refused()
    {
        var body = HeadReading.Bytes($"--B\r\n{Head}one\r\n--B\r\n{Head}two\r\n--B--");
        for (var length = 0; length < body.Length; length++)
        {
            Assert.NotEqual(MultipartFault.None, MultipartReading.Read("B", [body[..length]]).Fault);
            Assert.NotEqual(MultipartFault.None, MultipartReading.Read("B", Split.ByteByByte(body[..length])).Fault);
        }
    }

    [Fact]
    public void A_body_of_no_parts_ends() => Assert.Empty(MultipartReading.ReadEveryWay("B", "--B--\r\n"u8.ToArray()).Parts);

    [Theory]
    [InlineData("Content-Disposition: form-data; name=\"d\"\r\n\r\n--B--")] // RFC 2046: the empty line's CRLF is the delimiter's
    [InlineData("Content-Disposition: form-data; name=\"d\"\r\n\r\n\r\n--B--")]
    [InlineData("\r\n\r\n--B--")]
    [InlineData("\r\n--B--")]
    public void A_part_may_have_no_contents_and_no_headers(string rest)
    {
        var read = MultipartReading.ReadEveryWay("B", HeadReading.Bytes("--B\r\n" + rest));
        Assert.Equal(MultipartFault.None, read.Fault);
        Assert.Equal("", Assert.Single(read.Parts).Text);
    }

    [Theory]
    [InlineData("*****")]
    [InlineData("-")]
    [InlineData("--")]
    [InlineData("a b")]
    [InlineData("\xFF\x01\x7F")]
    [InlineData(Mac)]
    public void Any_boundary_will_do(string boundary)
    {
        var almost = $"\r\n--{boundary[..^1]}\r\n--{boundary}?";
        var read = MultipartReading.ReadEveryWay(boundary, HeadReading.Bytes($"--{boundary}\r\n{Head}{almost}\r\n--{boundary}\r\n{Head}\r\n--{boundary}--"));
        Assert.Equal([almost, ""], read.Parts.Select(p => p.Text));
    }

    [Fact]
    public void The_longest_boundary_works_over_every_split()
    {
        var boundary = new string('-', 128) + new string('b', 128);
        var almost = "\r\n--" + boundary + new string(' ', 64) + "\rx";
        var read = MultipartReading.ReadEveryWay(boundary, HeadReading.Bytes($"--{boundary}\r\n{Head}{almost}\r\n--{boundary}--"));
        Assert.Equal(almost, Assert.Single(read.Parts).Text);
        using var parser = new MultipartParser();
        Assert.Throws<ArgumentException>(() => parser.Reset(new byte[257]));
        Assert.Throws<ArgumentException>(() => parser.Reset(default));
        Assert.Throws<ArgumentException>(() => parser.Reset("a\r\nb"u8));
        Assert.Throws<InvalidOperationException>(() => parser.Next(default, out _));
    }

    [Theory]
    [InlineData(10, MultipartFault.None)]
    [InlineData(11, MultipartFault.PreambleTooLarge)]
    public void A_preamble_is_bounded_to_the_byte(int length, MultipartFault fault) =>
        Assert.Equal(fault, MultipartReading.ReadEveryWay("B", HeadReading.Bytes(new string('p', length) + $"\r\n--B\r\n{Head}v\r\n--B--"), new() { MaxPreambleBytes = 10 }).Fault);

    [Theory]
    [InlineData(0, MultipartFault.None)]
    [InlineData(1, MultipartFault.PartHeadTooLarge)]
    public void A_part_head_is_bounded_to_the_byte(int over, MultipartFault fault) =>
        Assert.Equal(fault, MultipartReading.ReadEveryWay("B", HeadReading.Bytes($"--B\r\nX: {new string('x', 64 - 7 + over)}\r\n\r\nv\r\n--B--"), new() { MaxPartHeadBytes = 64 }).Fault);

    [Fact]
    public void The_default_part_head_limit_is_16_KiB_however_it_arrives()
    {
        foreach (var (over, fault) in ((int, MultipartFault)[])[(0, MultipartFault.None), (1, MultipartFault.PartHeadTooLarge)])
        {
            var body = HeadReading.Bytes($"--B\r\nX: {new string('x', (16 * 1024) - 7 + over)}\r\n\r\nv\r\n--B--");
            foreach (var step in (int[])[1, 511, 512, 513, 1024, 100_000])
            {
                Assert.Equal(fault, MultipartReading.Read("B", Split.ByLengths(body, [step])).Fault);
            }
        }
    }

    [Theory]
    [InlineData(3, MultipartFault.None)]
    [InlineData(4, MultipartFault.TooManyParts)]
    public void Parts_are_counted(int parts, MultipartFault fault)
    {
        var body = string.Concat(Enumerable.Repeat($"\r\n--B\r\n{Head}v", parts));
        Assert.Equal(fault, MultipartReading.ReadEveryWay("B", HeadReading.Bytes(body + "\r\n--B--"), new() { MaxParts = 3 }).Fault);
        Assert.Equal(fault, MultipartReading.ReadEveryWay("B", HeadReading.Bytes(body + "\r\n--B\r\n--"), new() { MaxParts = 3 }).Fault);
    }

    [Fact]
    public void Data_in_one_slice_is_one_event()
    {
        var dump = new byte[100_000];
        new Random(7).NextBytes(dump);
        var read = MultipartReading.Read("boundary", [[.. HeadReading.Bytes($"--boundary\r\n{Head}"), .. dump, .. "\r\n--boundary--\r\n"u8]]);
        Assert.Equal(dump, Assert.Single(read.Parts).Data);
        Assert.Equal(1, read.DataEvents);
    }

    [Fact]
    public void A_parser_is_used_again_after_anything()
    {
        using var parser = new MultipartParser();
        var good = HeadReading.Bytes($"--B\r\n{Head}v\r\n--B--");
        foreach (var before in (string[])["", "--B", $"--B\r\n{Head}vvv\r\n--", "--B\r\nbad\r\n\r\n", $"--B\r\n{Head}v\r\n--B--", "--B\r\nX: " + new string('x', 10_000), new string('p', 70_000)])
        {
            MultipartReading.Read(parser, "B", [HeadReading.Bytes(before)]);
            Assert.Equal("name=d file=- type= ended=True 1:v\nNone 1", MultipartReading.Read(parser, "B", [good]).ToString());
        }
    }

    [Fact]
    public void A_reused_parser_allocates_nothing()
    {
        ReadOnlyMemory<byte> body = HeadReading.Bytes($"--B\r\nContent-Disposition: form-data; name=\"a%20b\"; filename=\"=?utf-8?B?eA==?=\"\r\nContent-Type: x\r\n\r\nvalue\r\n--B\r\n{Head}v\r\n--B--");
        using var parser = new MultipartParser();
        void Run()
        {
            parser.Reset("B"u8);
            var rest = body[..30];
            for (var second = false; ;)
            {
                var found = parser.Next(rest, out var consumed);
                rest = rest[consumed..];
                if (found == MultipartEvent.NeedMore)
                {
                    if (second)
                    {
                        break;
                    }

                    second = true;
                    rest = body[30..];
                }
            }

            Assert.Equal(MultipartEvent.End, parser.Complete());
        }

        Run();
        Run();
        Garbage.None(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                parser.Reset("B"u8);
                var rest = body;
                while (parser.Next(rest, out var consumed) != MultipartEvent.NeedMore)
                {
                    rest = rest[consumed..];
                }
            }
        });
    }
}
