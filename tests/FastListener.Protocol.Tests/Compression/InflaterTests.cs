using FastListener.Tests.Support;
using System.IO.Compression;
using CsCheck;
using FastListener.Protocol.Compression;
using FastListener.Protocol.Http;
using FastListener.Protocol.Tests.Support;

namespace FastListener.Protocol.Tests.Compression;

/// <summary>The inflater against the platform's own compressor, and against every cut and damage that GZipStream lets pass.</summary>
public class InflaterTests
{
    private static readonly byte[] Text = HeadReading.Bytes(string.Concat(Enumerable.Repeat("MDMP a dump that compresses; ", 20)) + "and its end");

    [Fact]
    public void It_agrees_with_the_platforms_compressors_over_every_split()
    {
        foreach (var (coding, packed) in Packed(Text))
        {
            Assert.Equal($"whole {Convert.ToHexString(Text)}", Split.SameOutcome(packed, pieces => Outcome(coding, pieces)));
        }
    }

    [Fact]
    public void Every_truncation_is_found()
    {
        foreach (var (coding, packed) in Packed(Text))
        {
            for (var length = 0; length < packed.Length; length++)
            {
                Assert.StartsWith("cut", Outcome(coding, [packed[..length]]), StringComparison.Ordinal);
                Assert.StartsWith("cut", Outcome(coding, Split.ByteByByte(packed[..length])), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void GZipStream_does_not_find_them_which_is_why_this_class_exists()
    {
        var packed = Gzip(Text);
        using var cut = new GZipStream(new MemoryStream(packed[..^6]), CompressionMode.Decompress);
        var copy = new MemoryStream();
        cut.CopyTo(copy); // no exception
        Assert.Equal(Text, copy.ToArray());
    }

    [Fact]
    public void A_flipped_bit_never_gives_other_bytes_as_a_whole_gzip_or_zlib_stream()
    {
        foreach (var (coding, packed) in Packed(Text).Take(2)) // raw deflate has no checksum
        {
            for (var bit = 0; bit < packed.Length * 8; bit++)
            {
                var bad = (byte[])packed.Clone();
                bad[bit / 8] ^= (byte)(1 << (bit % 8));
                var outcome = Outcome(coding, [bad]);
                Assert.True(!outcome.StartsWith("whole", StringComparison.Ordinal) || outcome == $"whole {Convert.ToHexString(Text)}", $"bit {bit}: {outcome}");
            }
        }
    }

    [Fact]
    public void A_wrong_checksum_or_length_is_refused()
    {
        var packed = Gzip(Text);
        for (var i = 1; i <= 8; i++)
        {
            var bad = (byte[])packed.Clone();
            bad[^i] ^= 1;
            Assert.StartsWith("bad", Split.SameOutcome(bad, pieces => Outcome(ContentCoding.Gzip, pieces)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Members_in_a_row_are_one_stream()
    {
        byte[] packed = [.. Gzip("one "u8), .. Gzip(""u8), .. Gzip("two"u8)];
        Assert.Equal($"whole {Convert.ToHexString("one two"u8)}", Split.SameOutcome(packed, pieces => Outcome(ContentCoding.Gzip, pieces)));
        var ends = new[] { Gzip("one "u8).Length, Gzip("one "u8).Length + Gzip(""u8).Length };
        for (var length = 1; length < packed.Length; length++)
        {
            Assert.StartsWith(ends.Contains(length) ? "whole" : "cut", Outcome(ContentCoding.Gzip, [packed[..length]]), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Zeros_may_follow_and_nothing_else_may(int kind)
    {
        var (coding, packed) = Packed("abc"u8.ToArray()).ElementAt(kind);
        Assert.Equal("whole 616263", Split.SameOutcome([.. packed, 0, 0, 0], p => Outcome(coding, p)));
        Assert.StartsWith("bad", Split.SameOutcome([.. packed, (byte)'x'], p => Outcome(coding, p)), StringComparison.Ordinal);
        Assert.StartsWith("bad", Split.SameOutcome([.. packed, 0, (byte)'x'], p => Outcome(coding, p)), StringComparison.Ordinal);
        Assert.StartsWith("bad", Split.SameOutcome([.. packed, 0, .. packed], p => Outcome(coding, p)), StringComparison.Ordinal);
        Assert.StartsWith("bad", Split.SameOutcome([.. packed, 0x1F, (byte)'x'], p => Outcome(coding, p)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_gzip_head_may_carry_a_name_and_a_comment()
    {
        var packed = Gzip("abc"u8);
        packed[3] = 0x18; // FNAME, FCOMMENT
        byte[] named = [.. packed[..10], .. "dump.dmp\0comment\0"u8, .. packed[10..]];
        Assert.Equal("whole 616263", Split.SameOutcome(named, p => Outcome(ContentCoding.Gzip, p)));
    }

    [Theory]
    [InlineData("MDMP\x93\xA7")]
    [InlineData("{\"uuid\":1}")]
    [InlineData("\x1F\x8B\x07")]
    [InlineData("\x1F\x8C\x08")]
    [InlineData("\x78\x9C")] // zlib under the name of gzip
    public void What_is_no_gzip_is_refused(string bytes)
    {
        var outcome = Split.SameOutcome(HeadReading.Bytes(bytes + "                    "), p => Outcome(ContentCoding.Gzip, p));
        Assert.StartsWith("bad", outcome, StringComparison.Ordinal);
    }

    [Fact]
    public void A_preset_dictionary_is_refused() =>
        Assert.StartsWith("bad", Outcome(ContentCoding.Deflate, [[0x78, 0xBB, 0, 0, 0, 1, 3, 0, 0, 0, 0, 1]]), StringComparison.Ordinal);

    [Fact]
    public void Small_outputs_lose_nothing_and_the_counters_are_exact()
    {
        var data = new byte[300_000];
        new Random(1).NextBytes(data.AsSpan(0, 50_000));
        foreach (var (coding, packed) in Packed(data))
        {
            foreach (var room in (int[])[1, 7, 4096, 1_000_000])
            {
                using var inflater = new Inflater();
                inflater.Reset(coding);
                var output = new MemoryStream();
                Assert.Equal(InflateStatus.NeedMore, Feed(inflater, packed, room, output));
                Assert.True(inflater.Complete());
                Assert.Equal(data, output.ToArray());
                Assert.Equal(packed.Length, inflater.InputBytes);
                Assert.Equal(data.Length, inflater.OutputBytes);
            }
        }
    }

    [Fact]
    public void One_inflater_serves_many_streams_of_every_kind()
    {
        using var inflater = new Inflater();
        for (var round = 0; round < 3; round++)
        {
            foreach (var (coding, packed) in Packed(Text))
            {
                inflater.Reset(coding);
                Feed(inflater, packed[..(packed.Length / 2)], 64, new MemoryStream()); // left in the middle
                Assert.False(inflater.Complete());
                inflater.Reset(coding);
                Assert.Equal(InflateStatus.Rejected, Feed(inflater, [0xFF, 0xFF, 0xFF, 0xFF], 64, new MemoryStream()));
                Assert.False(inflater.Complete());
                inflater.Reset(coding);
                Assert.False(inflater.Complete());
                var output = new MemoryStream();
                Feed(inflater, packed, 64, output);
                Assert.True(inflater.Complete());
                Assert.Equal(Text, output.ToArray());
            }
        }

        inflater.Dispose();
        inflater.Dispose();
        Assert.Throws<InvalidOperationException>(() => inflater.Next(Text, new byte[10], out _, out _));
        inflater.Reset(ContentCoding.Gzip);
        Assert.Equal(InflateStatus.NeedMore, inflater.Next(Gzip(Text), new byte[10_000], out _, out _));
    }

    [Fact]
    public void Misuse_is_told()
    {
        using var inflater = new Inflater();
        Assert.False(inflater.Complete());
        Assert.Throws<InvalidOperationException>(() => inflater.Next(Text, new byte[1], out _, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => inflater.Reset(ContentCoding.Identity));
        inflater.Reset(ContentCoding.Gzip);
        Assert.Throws<ArgumentException>(() => inflater.Next(Text, default, out _, out _));
    }

    [Fact]
    public void A_reused_inflater_allocates_nothing()
    {
        var packed = Gzip(Text);
        var output = new byte[4096];
        using var inflater = new Inflater();
        for (var i = 0; i < 2; i++)
        {
            inflater.Reset(ContentCoding.Gzip);
            inflater.Next(packed, output, out _, out _);
        }

        Garbage.None(() =>
        {
            for (var i = 0; i < 100; i++)
            {
                inflater.Reset(ContentCoding.Gzip);
                inflater.Next(packed, output, out _, out _);
            }
        });
    }

    [Fact]
    public void Random_data_over_random_cuts_and_outputs_comes_out_whole() =>
        Gen.Select(Gen.Byte.Array[0, 3000], Gen.Int[1, 300].Array[0, 6], Gen.Int[1, 500], Gen.Int[0, 2]).Sample((data, cuts, room, kind) =>
        {
            var (coding, packed) = Packed(data).ElementAt(kind);
            using var inflater = new Inflater();
            inflater.Reset(coding);
            var output = new MemoryStream();
            foreach (var piece in Split.ByLengths(packed, cuts))
            {
                Assert.Equal(InflateStatus.NeedMore, Feed(inflater, piece, room, output));
            }

            Assert.True(inflater.Complete());
            Assert.Equal(data, output.ToArray());
        }, iter: 200);

    private static IEnumerable<(ContentCoding Coding, byte[] Packed)> Packed(byte[] data)
    {
        yield return (ContentCoding.Gzip, Gzip(data));
        yield return (ContentCoding.Deflate, data.Length == 0 ? [0x78, 0x9C, 3, 0, 0, 0, 0, 1] : Pack(data, s => new ZLibStream(s, CompressionLevel.Optimal)));
        yield return (ContentCoding.Deflate, data.Length == 0 ? [3, 0] : Pack(data, s => new DeflateStream(s, CompressionLevel.Optimal)));
    }

    /// <summary>.NET writes nothing at all for no data, so streams of nothing are written by hand.</summary>
    internal static byte[] Gzip(ReadOnlySpan<byte> data) =>
        data.IsEmpty ? [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0] : Pack(data, s => new GZipStream(s, CompressionLevel.Optimal));

    private static byte[] Pack(ReadOnlySpan<byte> data, Func<Stream, Stream> packer)
    {
        var packed = new MemoryStream();
        using (var stream = packer(packed))
        {
            stream.Write(data);
        }

        return packed.ToArray();
    }

    /// <summary>Feeds one piece as a caller does, a little room at a time.</summary>
    private static InflateStatus Feed(Inflater inflater, byte[] piece, int room, MemoryStream output)
    {
        var window = new byte[room];
        ReadOnlySpan<byte> rest = piece;
        while (true)
        {
            var status = inflater.Next(rest, window, out var consumed, out var written);
            output.Write(window.AsSpan(0, written));
            rest = rest[consumed..];
            if (status == InflateStatus.NeedMore)
            {
                Assert.True(rest.IsEmpty);
            }

            if (status != InflateStatus.Output)
            {
                return status;
            }

            Assert.Equal(room, written);
        }
    }

    internal static string Outcome(ContentCoding coding, byte[][] pieces)
    {
        using var inflater = new Inflater();
        inflater.Reset(coding);
        var output = new MemoryStream();
        foreach (var piece in pieces)
        {
            if (Feed(inflater, piece, 256, output) == InflateStatus.Rejected)
            {
                Assert.False(inflater.Complete());
                return "bad";
            }
        }

        return (inflater.Complete() ? "whole " : "cut ") + Convert.ToHexString(output.ToArray());
    }
}
