using System.Text;
using CsCheck;
using FastListener.Protocol.Multipart;
using FastListener.Protocol.Tests.Support;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace FastListener.Protocol.Tests.Differential;

/// <summary>
/// Our multipart parser beside WebUtilities' MultipartReader: the same parts from every ordinary body, and every deliberate difference
/// shown by a body that makes it.
/// </summary>
public class MultipartDifferenceTests
{
    private const string Mac = "---------------------------0123456789abcdef";
    private const string Head = "Content-Disposition: form-data; name=\"d\"\r\n\r\n";

    /// <summary>Difference, boundary, body, the stock reader's parts (null: it throws), our parts (null: refused).</summary>
    public static TheoryData<string, string, string, string?, string?> Differences => new()
    {
        { "a prefix of a line is no delimiter: a dump may not be cut there", "B", $"--B\r\n{Head}one\r\n--Bxyz two\r\n--B--\r\n", null, "one\r\n--Bxyz two" },
        { "Cocoa's ending --B CRLF --", "B", $"--B\r\n{Head}one\r\n--B\r\n--", null, "one" },
        { "Breakpad on macOS leaves out the CRLF before a delimiter", Mac, $"--{Mac}\r\n{Head}one--{Mac}\r\n{Head}two\r\n--{Mac}--\r\n", $"one--{Mac}\r\n{Head}two", "one|two" },
        { "a body that ends with its closing delimiter, without CRLF", "B", $"--B\r\n{Head}one\r\n--B--", "one", "one" },
        { "a body with no delimiter at all", "B", "no multipart", null, null },
        { "a part with no contents and no CRLF of its own (RFC 2046 5.1.1)", "B", $"--B\r\n{Head}--B\r\n{Head}two\r\n--B--\r\n", $"--B\r\n{Head}two", "|two" },
        { "Content-Disposition twice: which is meant?", "B", $"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n{Head}one\r\n--B--\r\n", "one", null },
        { "a header line without a colon", "B", $"--B\r\nnonsense\r\n{Head}one\r\n--B--\r\n", null, null },
        { "a NUL in a header line", "B", "--B\r\nX: a\0b\r\n\r\none\r\n--B--\r\n", "one", null },
        { "a bare LF in a header line", "B", $"--B\r\nX: a\n{Head}one\r\n--B--\r\n", "one", null },
        { "white space before the colon", "B", "--B\r\nX : a\r\n\r\none\r\n--B--\r\n", "one", null },
        { "a folded header line", "B", "--B\r\nContent-Disposition: form-data;\r\n name=\"d\"\r\n\r\none\r\n--B--\r\n", null, "one" },
        { "17 header lines in a part", "B", "--B\r\n" + string.Concat(Enumerable.Range(0, 17).Select(i => $"X{i}: y\r\n")) + "\r\none\r\n--B--\r\n", null, "one" },
        { "LF-only line ends", "B", "--B\nContent-Disposition: form-data; name=\"d\"\n\none\n--B--\n", null, null },
    };

    [Theory]
    [MemberData(nameof(Differences))]
    public async Task Differences_are_deliberate(string why, string boundary, string body, string? stock, string? ours)
    {
        Assert.NotEmpty(why);
        var bytes = HeadReading.Bytes(body);
        var theirs = await ReadStock(boundary, bytes);
        Assert.Equal(stock, theirs is null ? null : string.Join('|', theirs.Select(p => p.Text)));
        var read = MultipartReading.ReadEveryWay(boundary, bytes);
        Assert.Equal(ours, read.Fault != MultipartFault.None ? null : string.Join('|', read.Parts.Select(p => p.Text)));
    }

    [Fact]
    public async Task They_read_the_same_from_ordinary_bodies()
    {
        var part = Gen.Select(Gen.Char["ab-_.1"].Array[1, 10].Select(c => new string(c)), Gen.Bool, Gen.Byte.Array[0, 60]);
        await Gen.Select(Gen.Char["ab-'()+_,./:=? z"].Array[1, 40].Select(c => new string(c).TrimEnd() + "z"), part.Array[1, 5], Gen.Int[1, 50].Array[0, 5]).SampleAsync(async (boundary, parts, cuts) =>
        {
            var body = new MemoryStream();
            foreach (var (name, file, data) in parts)
            {
                body.Write(Encoding.ASCII.GetBytes($"--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{(file ? $"; filename=\"f{name}\"\r\nContent-Type: x/y" : "")}\r\n\r\n"));
                body.Write(data);
                body.Write("\r\n"u8);
            }

            body.Write(Encoding.ASCII.GetBytes($"--{boundary}--\r\n"));
            var bytes = body.ToArray();
            var ours = MultipartReading.Read(boundary, Split.ByLengths(bytes, cuts));
            Assert.Equal(MultipartFault.None, ours.Fault);
            var stock = await ReadStock(boundary, bytes);
            Assert.NotNull(stock);
            Assert.Equal(stock.Select(p => p.ToString()), ours.Parts.Select(p => p.ToString()));
            Assert.Equal(parts.Select(p => p.Item3), ours.Parts.Select(p => p.Data));
        }, iter: 300);
    }

    private static async Task<List<ReadPart>?> ReadStock(string boundary, byte[] body)
    {
        var parts = new List<ReadPart>();
        try
        {
            var reader = new MultipartReader(boundary, new MemoryStream(body));
            while (await reader.ReadNextSectionAsync() is { } section)
            {
                var data = new MemoryStream();
                await section.Body.CopyToAsync(data);
                var disposition = ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var parsed) ? parsed : null;
                parts.Add(new(
                    disposition?.Name.HasValue == true ? HeaderUtilities.RemoveQuotes(disposition.Name).ToString() : null,
                    disposition?.FileName.HasValue == true ? HeaderUtilities.RemoveQuotes(disposition.FileName).ToString() : null,
                    section.ContentType ?? "",
                    data.ToArray(),
                    Ended: true));
            }

            return parts;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return null;
        }
    }
}
