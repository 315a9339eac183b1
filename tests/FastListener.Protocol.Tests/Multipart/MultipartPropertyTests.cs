using CsCheck;
using FastListener.Protocol.Multipart;
using FastListener.Protocol.Tests.Support;

namespace FastListener.Protocol.Tests.Multipart;

/// <summary>Random bodies over random cuts: what goes in comes out, byte for byte.</summary>
public class MultipartPropertyTests
{
    private const string Mac = "---------------------------0123456789abcdef";

    private static readonly string[] Boundaries = ["B", "*****", "----WebKitFormBoundary7MA4YWxkTrZu0gW", Mac, "---MultipartBoundary-aB3d---"];

    private static readonly Gen<int[]> Cuts = Gen.Int[1, 80].Array[0, 8];

    /// <summary>A dump made of pieces of the delimiter, line ends and noise, so that almost-boundaries of every kind occur often.</summary>
    private static Gen<byte[]> AlmostBoundaries(string boundary)
    {
        var delimiter = HeadReading.Bytes("\r\n--" + boundary);
        var piece = Gen.Frequency(
            (4, Gen.Int[0, delimiter.Length].Select(n => delimiter[..n])),
            (2, Gen.Int[0, delimiter.Length].Select(n => delimiter[n..])),
            (2, Gen.Byte.Array[0, 4]),
            (1, Gen.Int[0, 6].Select(i => HeadReading.Bytes(new[] { "\r", "\n", "\r\n", "--", " ", "\t", "-----------------------------" }[i]))));
        return piece.Array[0, 14].Select(pieces => pieces.SelectMany(p => p).ToArray()).Where(data => !HoldsDelimiter(data, boundary));
    }

    [Fact]
    public void A_dump_full_of_almost_boundaries_survives_byte_for_byte()
    {
        foreach (var boundary in Boundaries)
        {
            Gen.Select(AlmostBoundaries(boundary).Array[1, 4], Cuts).Sample((dumps, cuts) =>
            {
                var read = MultipartReading.Read(boundary, Split.ByLengths(Body(boundary, dumps), cuts));
                Assert.Equal(MultipartFault.None, read.Fault);
                Assert.Equal(dumps, read.Parts.Select(p => p.Data));
            }, iter: 2000);
        }
    }

    [Fact]
    public void Any_bytes_at_all_are_read_the_same_however_they_are_cut()
    {
        foreach (var boundary in Boundaries)
        {
            var tokens = new[] { "\r\n", "\r", "\n", "--", "--" + boundary, "\r\n--" + boundary, "Content-Disposition: form-data; name=a", "Content-", "x", " ", ":" };
            Gen.Select(Gen.Int[0, tokens.Length - 1].Array[0, 16], Cuts).Sample((picks, cuts) =>
            {
                var body = HeadReading.Bytes("--" + boundary + "\r\n" + string.Concat(picks.Select(i => tokens[i])));
                var whole = MultipartReading.Read(boundary, [body]).ToString();
                Assert.Equal(whole, MultipartReading.Read(boundary, Split.ByLengths(body, cuts)).ToString());
                Assert.Equal(whole, MultipartReading.Read(boundary, Split.ByteByByte(body)).ToString());
            }, iter: 1000);
        }
    }

    [Theory]
    [InlineData(Dumps.Breakpad)]
    [InlineData(Dumps.Crashpad)]
    public void A_genuine_dump_survives_in_slices_of_every_size(string name)
    {
        var dump = Dumps.Read(name);
        foreach (var boundary in Boundaries)
        {
            var body = Body(boundary, [dump, dump[..100]]);
            foreach (var size in (int[])[97, 1460, 4096, 65_536, int.MaxValue])
            {
                var read = MultipartReading.Read(boundary, Split.ByLengths(body, [size]));
                Assert.Equal(2, read.Parts.Count);
                Assert.Equal(dump, read.Parts[0].Data);
            }
        }
    }

    [Fact]
    public void A_megabyte_of_dashes_costs_no_more_events_than_its_slices()
    {
        var dashes = new byte[1 << 20];
        Array.Fill(dashes, (byte)'-');
        var read = MultipartReading.Read(Mac, Split.ByLengths(Body(Mac, [dashes]), [65_536]));
        Assert.Equal(dashes, Assert.Single(read.Parts).Data);
        Assert.InRange(read.DataEvents, 1, 40);
    }

    private static byte[] Body(string boundary, byte[][] contents)
    {
        var body = new MemoryStream();
        foreach (var data in contents)
        {
            body.Write(HeadReading.Bytes($"--{boundary}\r\nContent-Disposition: form-data; name=\"d\"; filename=\"f\"\r\n\r\n"));
            body.Write(data);
            body.Write("\r\n"u8);
        }

        body.Write(HeadReading.Bytes($"--{boundary}--\r\n"));
        return body.ToArray();
    }

    /// <summary>Said a second time and simply: a delimiter with <c>--</c>, or blanks and CR LF, behind it; glued for Breakpad's form.</summary>
    private static bool HoldsDelimiter(byte[] data, string boundary)
    {
        var text = "\r\n" + HeadReading.Latin1(data) + "\r\n--" + boundary; // what surrounds it counts
        var pattern = "\r\n--" + System.Text.RegularExpressions.Regex.Escape(boundary) + "(--|[ \t]{0,64}\r\n)";
        return System.Text.RegularExpressions.Regex.IsMatch(text, pattern)
            || (boundary == Mac && text.Contains($"--{boundary}\r\nContent-", StringComparison.Ordinal));
    }
}
