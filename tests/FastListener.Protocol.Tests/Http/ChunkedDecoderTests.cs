using FastListener.Tests.Support;
using System.Globalization;
using System.Text;
using CsCheck;
using FastListener.Protocol.Http;
using FastListener.Protocol.Tests.Support;

namespace FastListener.Protocol.Tests.Http;

/// <summary>The chunked coding: what is accepted, what is refused and at which byte, whatever the split.</summary>
public class ChunkedDecoderTests
{
    [Theory]
    [InlineData("0\r\n\r\n", "")]
    [InlineData("5\r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world")]
    [InlineData("a\r\n0123456789\r\n0\r\n\r\n", "0123456789")]
    [InlineData("A\r\n0123456789\r\n0\r\n\r\n", "0123456789")]
    [InlineData("00000005\r\nhello\r\n00000000\r\n\r\n", "hello")] // Crashpad pads with zeros
    [InlineData("000000000000005\r\nhello\r\n000000000000000\r\n\r\n", "hello")]
    [InlineData("2\r\n\r\n\r\n0\r\n\r\n", "\r\n")]
    [InlineData("5;a\r\nhello\r\n0;last=1\r\n\r\n", "hello")]
    [InlineData("5;a=b;c;d=\"e\"\r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("5 ; a = b ;\tc\t;d = \"e\" ;f\r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("5;a=\"x;y=\\\"\\\\ \t\x80\xFF\"\r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("5;a=\"\"\r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("1\r\nx\r\n0\r\nX-Checksum: 1\r\nB:\r\n\r\n", "x")]
    [InlineData("1\r\nx\r\n0\r\nContent-Length: 99\r\nTransfer-Encoding: gzip\r\n\r\n", "x")] // dropped: a trailer steers nothing
    public void A_body_decodes_the_same_however_it_arrives(string body, string data)
    {
        var bytes = HeadReading.Bytes(body);
        Assert.Equal($"Done at {bytes.Length}: {data}", Split.SameOutcome(bytes, ChunkReading.Outcome));
        Assert.Equal($"Done at {bytes.Length}: {data}", ChunkReading.Outcome([[.. bytes, .. "POST / HTTP/1.1\r\n"u8]])); // a pipelined request stays
    }

    [Theory]
    [InlineData("5\nhello", HttpFault.BareLf)]
    [InlineData("5\r\nhello\r\n0\n", HttpFault.BareLf)]
    [InlineData("\n", HttpFault.BareLf)]
    [InlineData("5;\nhello", HttpFault.BareLf)]
    [InlineData("5;a\nhello", HttpFault.BareLf)] // CVE-2025-55315
    [InlineData("5;a=b\nhello", HttpFault.BareLf)]
    [InlineData("5;a=\nhello", HttpFault.BareLf)]
    [InlineData("5;a=\"\nhello\"", HttpFault.BareLf)]
    [InlineData("5;a=\"\\\nhello\"", HttpFault.BareLf)]
    [InlineData("5;a=\"b\"\nhello", HttpFault.BareLf)]
    [InlineData("5 \nhello", HttpFault.BareLf)]
    [InlineData("5\rhello", HttpFault.BareCr)]
    [InlineData("5\r\rhello", HttpFault.BareCr)]
    [InlineData("5;a\rb\r\nhello", HttpFault.BareCr)]
    [InlineData("5;a=b\r;c\r\nhello", HttpFault.BareCr)]
    [InlineData("5;a=\"b\r\n\"\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("\r\n", HttpFault.BadChunkSize)]
    [InlineData(" 5\r\nhello", HttpFault.BadChunkSize)]
    [InlineData("-5\r\nhello", HttpFault.BadChunkSize)]
    [InlineData("+5\r\nhello", HttpFault.BadChunkSize)]
    [InlineData("0x5\r\nhello", HttpFault.BadChunkSize)]
    [InlineData("5h\r\nhello", HttpFault.BadChunkSize)]
    [InlineData("5_0\r\nhello", HttpFault.BadChunkSize)]
    [InlineData("5,\r\nhello", HttpFault.BadChunkSize)]
    [InlineData("5.\r\nhello", HttpFault.BadChunkSize)]
    [InlineData("5\0\r\nhello", HttpFault.BadChunkSize)]
    [InlineData("\xB2\r\nhello", HttpFault.BadChunkSize)]
    [InlineData(";a\r\nhello", HttpFault.BadChunkSize)]
    [InlineData("g\r\nhello", HttpFault.BadChunkSize)]
    [InlineData("0000000000000005\r\nhello", HttpFault.ChunkSizeOverflow)]
    [InlineData("FFFFFFFFFFFFFFFF\r\n", HttpFault.ChunkSizeOverflow)]
    [InlineData("10000000000000005\r\nhello", HttpFault.ChunkSizeOverflow)] // 5, modulo 2^64
    [InlineData("5 \r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5\t\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5 5\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5;\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5;;a\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5;=b\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5;a=\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5;a==b\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5;a b\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5;a=b c\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5;a \r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5;a=\"b\"c\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5;a=\"b\0\"\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5;a\0\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5;\x80\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5;a=\"\x7F\"\r\nhello", HttpFault.BadChunkExtension)]
    [InlineData("5\r\nhelloX\r\n", HttpFault.BadChunkEnd)]
    [InlineData("5\r\nhello\n0\r\n\r\n", HttpFault.BadChunkEnd)]
    [InlineData("5\r\nhello\rX0\r\n\r\n", HttpFault.BadChunkEnd)]
    [InlineData("5\r\nhello0\r\n\r\n", HttpFault.BadChunkEnd)]
    [InlineData("0\r\n\n", HttpFault.BareLf)]
    [InlineData("0\r\n\rX", HttpFault.BareCr)]
    [InlineData("0\r\nX: a\n\r\n", HttpFault.BareLf)]
    [InlineData("0\r\nX: a\rb\r\n\r\n", HttpFault.BareCr)]
    [InlineData("0\r\nX\n\r\n", HttpFault.BareLf)]
    [InlineData("0\r\nX: a\r\n b\r\n\r\n", HttpFault.ObsoleteFold)]
    [InlineData("0\r\nX : a\r\n\r\n", HttpFault.SpaceBeforeColon)]
    [InlineData("0\r\nX\r\n\r\n", HttpFault.BadFieldName)]
    [InlineData("0\r\n: a\r\n\r\n", HttpFault.BadFieldName)]
    [InlineData("0\r\nX: a\0\r\n\r\n", HttpFault.Nul)]
    [InlineData("0\r\nX: a\x0B\r\n\r\n", HttpFault.BadFieldValue)]
    public void Anything_but_the_grammar_is_refused_at_the_byte_that_breaks_it(string body, HttpFault fault)
    {
        var bytes = HeadReading.Bytes(body);
        var outcome = Split.SameOutcome(bytes, ChunkReading.Outcome);
        Assert.StartsWith($"{fault} at ", outcome, StringComparison.Ordinal);
        var at = int.Parse(outcome.AsSpan(outcome.LastIndexOf(' ') + 1), CultureInfo.InvariantCulture);
        Assert.StartsWith($"NeedMore after {at}:", ChunkReading.Outcome([bytes[..at]]), StringComparison.Ordinal);
        Assert.Equal(outcome, ChunkReading.Outcome([bytes[..(at + 1)]]));
    }

    [Fact]
    public void Every_truncation_is_unfinished()
    {
        var body = HeadReading.Bytes("5;a=\"b\"\r\nhello\r\n3\r\nxyz\r\n0\r\nX: y\r\n\r\n");
        for (var length = 0; length < body.Length; length++)
        {
            Assert.StartsWith("NeedMore", ChunkReading.Outcome([body[..length]]), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(ChunkedDecoder.MaxLineBytes, "Done")]
    [InlineData(ChunkedDecoder.MaxLineBytes + 1, "ChunkLineTooLong")]
    public void A_chunk_line_is_bounded_to_the_byte(int length, string outcome)
    {
        var line = "1;" + new string('e', length - 4) + "\r\n";
        Assert.Equal(length, line.Length);
        var body = HeadReading.Bytes(line + "x\r\n0\r\n\r\n");
        Assert.StartsWith(outcome, ChunkReading.Outcome([body]), StringComparison.Ordinal);
        Assert.StartsWith(outcome, ChunkReading.Outcome(Split.ByteByByte(body)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ChunkedDecoder.MaxTrailerBytes, "Done")]
    [InlineData(ChunkedDecoder.MaxTrailerBytes + 1, "TrailersTooLarge")]
    public void Trailers_are_bounded_to_the_byte(int length, string outcome)
    {
        var trailer = "A:" + new string('t', 100) + "\r\nX:" + new string('t', length - 104 - 6) + "\r\n\r\n";
        var body = HeadReading.Bytes("0\r\n" + trailer);
        Assert.Equal(length, trailer.Length);
        Assert.StartsWith(outcome, ChunkReading.Outcome([body]), StringComparison.Ordinal);
        Assert.StartsWith(outcome, ChunkReading.Outcome(Split.ByteByByte(body)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_flood_of_extensions_ends()
    {
        var body = HeadReading.Bytes(string.Concat(Enumerable.Repeat("1;" + new string('e', 4000) + "\r\nx\r\n", 100)));
        var outcome = ChunkReading.Outcome([body]);
        Assert.StartsWith("ChunkExtensionsTooLarge at ", outcome, StringComparison.Ordinal);
        Assert.InRange(int.Parse(outcome.AsSpan(outcome.LastIndexOf(' ') + 1), CultureInfo.InvariantCulture), 65_536, 66_000);
    }

    [Fact]
    public void Signed_chunks_of_ordinary_size_are_not_a_flood()
    {
        var chunk = "1000;chunk-signature=" + new string('a', 64) + "\r\n" + new string('d', 4096) + "\r\n";
        var body = HeadReading.Bytes(string.Concat(Enumerable.Repeat(chunk, 2000)) + "0\r\n\r\n");
        Assert.StartsWith($"Done at {body.Length}", ChunkReading.Outcome([body]), StringComparison.Ordinal);
    }

    [Fact]
    public void Random_data_in_random_chunks_over_random_cuts_comes_out_whole()
    {
        var cases = Gen.Select(Gen.Byte.Array[1, 50].Array[0, 12], Gen.Int[1, 40].Array[0, 8], Gen.Int[0, 3]);
        cases.Sample((chunks, cuts, extension) =>
        {
            var body = new MemoryStream();
            foreach (var chunk in chunks)
            {
                var text = extension switch { 0 => "", 1 => ";e", 2 => " ; e = \"q;\\\"\"", _ => ";a=b;c" };
                body.Write(Encoding.ASCII.GetBytes(chunk.Length.ToString("x", CultureInfo.InvariantCulture) + text + "\r\n"));
                body.Write(chunk);
                body.Write("\r\n"u8);
            }

            body.Write("0\r\n\r\n"u8);
            var bytes = body.ToArray();
            var (status, _, data, consumed) = ChunkReading.Decode(new(), Split.ByLengths(bytes, cuts));
            Assert.Equal(ParseStatus.Done, status);
            Assert.Equal(bytes.Length, consumed);
            Assert.Equal(chunks.SelectMany(c => c).ToArray(), data);
        });
    }

    [Fact]
    public void Random_damage_never_gives_different_outcomes_for_different_cuts()
    {
        var good = HeadReading.Bytes("5;a=\"b\"\r\nhello\r\n3\r\nxyz\r\n0\r\nX: y\r\n\r\n");
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, good.Length - 1], Gen.Int[0, 3].Select(i => "\r\n;\""u8[i])).Sample((i, a, j, b) =>
        {
            var bad = (byte[])good.Clone();
            (bad[i], bad[j]) = (a, b);
            Split.SameOutcome(bad, ChunkReading.Outcome);
        }, iter: 100);
    }

    [Fact]
    public void A_reused_decoder_allocates_nothing()
    {
        var body = HeadReading.Bytes("5\r\nhello\r\n0\r\n\r\n");
        var decoder = new ChunkedDecoder();
        decoder.Reset();
        decoder.Next(body, out _, out _, out _);
        Garbage.None(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                decoder.Reset();
                decoder.Next(body, out _, out _, out _);
            }
        });
    }
}
