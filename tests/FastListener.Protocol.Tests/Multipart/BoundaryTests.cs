using FastListener.Protocol.Multipart;
using FastListener.Protocol.Tests.Support;

namespace FastListener.Protocol.Tests.Multipart;

/// <summary>Which boundary a Content-Type names, in all the ways clients write it.</summary>
public class BoundaryTests
{
    [Theory]
    [InlineData("multipart/form-data; boundary=abc", "abc")]
    [InlineData("multipart/form-data;boundary=abc", "abc")]
    [InlineData("Multipart/Form-Data; BOUNDARY=\"abc\"", "abc")]
    [InlineData("multipart/form-data;boundary=*****", "*****")]
    [InlineData("multipart/form-data; charset=utf-8; boundary=abc", "abc")]
    [InlineData("multipart/form-data; boundary=abc; charset=utf-8", "abc")]
    [InlineData("multipart/form-data; boundary=abc  ", "abc")]
    [InlineData("multipart/form-data; boundary=\"a b;c\"; x=y", "a b;c")]
    [InlineData("multipart/form-data; boundary=\"a\\\"b\"", "a\"b")]
    [InlineData("multipart/form-data ; boundary = abc", "abc")]
    [InlineData("multipart/mixed; boundary=abc", "abc")]
    [InlineData("multipart/form-data; boundary=abc; boundary=abc", "abc")]
    [InlineData("multipart/form-data; boundary=a=b", "a=b")]
    [InlineData("multipart/form-data; boundary=---MultipartBoundary-x---", "---MultipartBoundary-x---")]
    [InlineData("multipart/form-data; boundary=a\xFF", "a\xFF")]
    [InlineData(" \tmultipart/form-data; boundary=abc", "abc")]
    public void It_is_read(string contentType, string boundary)
    {
        var found = new byte[Boundary.MaxBytes];
        Assert.True(Boundary.TryRead(HeadReading.Bytes(contentType), found, out var length));
        Assert.Equal(boundary, HeadReading.Latin1(found.AsSpan(0, length)));
    }

    [Theory]
    [InlineData("multipart/form-data", true)]
    [InlineData("multipart/form-data; boundary=", true)]
    [InlineData("multipart/form-data; boundary=\"\"", true)]
    [InlineData("multipart/form-data; boundary", true)]
    [InlineData("multipart/form-data; boundary=\"abc", true)]
    [InlineData("multipart/form-data; boundary=abc; boundary=abd", true)]
    [InlineData("multipart/form-data; boundary=\"a\0\"", true)]
    [InlineData("multipart/form-data; xboundary=abc", true)]
    [InlineData("application/x-www-form-urlencoded; boundary=abc", false)]
    [InlineData("multipart", false)]
    [InlineData("xmultipart/form-data; boundary=abc", false)]
    [InlineData("", false)]
    public void It_is_not_there(string contentType, bool multipart)
    {
        Assert.False(Boundary.TryRead(HeadReading.Bytes(contentType), new byte[Boundary.MaxBytes], out var length));
        Assert.Equal(0, length);
        Assert.Equal(multipart, Boundary.IsMultipart(HeadReading.Bytes(contentType)));
    }

    [Fact]
    public void It_may_have_256_bytes_and_no_more()
    {
        var found = new byte[Boundary.MaxBytes];
        Assert.True(Boundary.TryRead(HeadReading.Bytes("multipart/x; boundary=" + new string('b', 256)), found, out var length));
        Assert.Equal(256, length);
        Assert.False(Boundary.TryRead(HeadReading.Bytes("multipart/x; boundary=" + new string('b', 257)), found, out _));
        Assert.False(Boundary.TryRead(HeadReading.Bytes("multipart/x; boundary=" + new string('b', 257)), new byte[500], out _));
        Assert.False(Boundary.TryRead("multipart/x; boundary=abc"u8, new byte[2], out _));
    }

    [Theory]
    [InlineData("--in-ner\r\nContent-Disposition: form-data", "in-ner")]
    [InlineData("--in-ner \r\ncontent-disposition:x", "in-ner")]
    [InlineData("--in-ner\r\nContent-Type: x", null)]
    [InlineData("--in-ner\nContent-Disposition: x", null)]
    [InlineData("-in-ner\r\nContent-Disposition: x", null)]
    [InlineData("--\r\nContent-Disposition: x", null)]
    [InlineData("--  \r\nContent-Disposition: x", null)]
    [InlineData("MDMP\r\nContent-Disposition: x", null)]
    [InlineData("--in-ner\r\nContent-Dis", null)]
    [InlineData("", null)]
    public void A_form_inside_a_part_shows_at_its_start(string start, string? boundary)
    {
        var found = new byte[Boundary.MaxBytes];
        Assert.Equal(boundary is not null, Boundary.TryReadNested(HeadReading.Bytes(start), found, out var length));
        Assert.Equal(boundary ?? "", HeadReading.Latin1(found.AsSpan(0, length)));
    }

    [Fact]
    public void A_dump_is_no_form()
    {
        foreach (var name in (string[])[Dumps.Breakpad, Dumps.Crashpad])
        {
            Assert.False(Boundary.TryReadNested(Dumps.Read(name), new byte[Boundary.MaxBytes], out _));
        }
    }
}
