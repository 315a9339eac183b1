using System.Text;

namespace FastListener.Storage.Tests;

public class ReferenceTests
{
    private const uint Random = 0x0658_e78b;

    [Fact]
    public void An_rxid_is_the_low_word_little_endian_then_the_random_word_then_zeros()
    {
        Assert.Equal("56000000-8be7-5806-0000-000000000000", ReceiptId.Rxid(0x56, Random));
        Assert.Equal("78563412-8be7-5806-0000-000000000000", ReceiptId.Rxid(0x9_1234_5678, Random));
        var text = new byte[ReceiptId.RxidLength];
        new Receipt(0xce, Random, 3).FormatZeroFilled(text);
        Assert.Equal("ce000000-0000-0000-0000-000000000000", Encoding.ASCII.GetString(text));
        var hex = new byte[ReceiptId.MaxObjectLength];
        Assert.Equal(2, new Receipt(0xce, Random, 3).FormatObject(hex));
        Assert.Equal("ce"u8, hex.AsSpan(0, 2));
    }

    [Theory]
    [InlineData("56000000-8be7-5806-0000-000000000000", true)]
    [InlineData("56000000-8BE7-5806-0000-000000000000", true)]
    [InlineData("56000000-0000-0000-0000-000000000000", true)]
    [InlineData("56", true)]
    [InlineData("0056", true)]
    [InlineData("56000000-8be7-5807-0000-000000000000", false)] // another random word
    [InlineData("57000000-8be7-5806-0000-000000000000", false)]
    [InlineData("57", false)]
    [InlineData("56000000", false)] // short form: an id, not a prefix
    public void A_reference_matches_only_when_all_of_it_fits(string text, bool matches)
    {
        Assert.True(ObjectReference.TryParse(text, out var reference));
        Assert.True(ObjectReference.TryParse(Encoding.ASCII.GetBytes(text), out var same));
        Assert.Equal(reference, same);
        Assert.Equal(matches, reference.Matches(0x56, Random));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("g")]
    [InlineData("56 ")]
    [InlineData(" 56")]
    [InlineData("0x56")]
    [InlineData("-1")]
    [InlineData("ffffffffffffffff")]
    [InlineData("10000000000000000")]
    [InlineData("56000000-8be7-5806-0000-000000000001")] // the last eight bytes are zero
    [InlineData("56000000-8be7-5806-0100-000000000000")]
    [InlineData("56000000-8be7-5806-0000-00000000000")]
    [InlineData("56000000-8be7-5806-0000-0000000000000")]
    [InlineData("560000008be758060000000000000000")]
    [InlineData("{56000000-8be7-5806-0000-000000000000}")]
    [InlineData("é6")]
    public void What_is_not_a_reference_is_refused(string text)
    {
        Assert.False(ObjectReference.TryParse(text, out _));
        Assert.False(ObjectReference.TryParse(Encoding.UTF8.GetBytes(text), out _));
    }

    [Fact]
    public void An_id_beyond_32_bits_is_found_by_its_low_word()
    {
        Assert.True(ObjectReference.TryParse("78563412-8be7-5806-0000-000000000000", out var reference));
        Assert.True(reference.Matches(0x9_1234_5678, Random));
        Assert.Equal(0x1234_5678, reference.NextCandidate(1, 0x9_ffff_ffff));
        Assert.Equal(0x1_1234_5678, reference.NextCandidate(0x1234_5679, 0x9_ffff_ffff));
        Assert.Equal(-1, reference.NextCandidate(0x9_1234_5679, 0x9_ffff_ffff));
    }

    [Theory]
    [InlineData("minidump", ObjectFormat.Minidump)]
    [InlineData("JSON", ObjectFormat.Json)]
    [InlineData("sourcemap", ObjectFormat.Sourcemap)]
    public void A_format_word_reads_in_any_case(string word, ObjectFormat format)
    {
        Assert.True(ObjectFormats.TryParse(Encoding.ASCII.GetBytes(word), out var read));
        Assert.Equal(format, read);
        Assert.Equal(word.ToLowerInvariant(), format.Name());
    }

    [Fact]
    public void Every_format_has_a_word_and_unknown_cannot_be_sent()
    {
        foreach (var format in Enum.GetValues<ObjectFormat>())
        {
            Assert.Equal(format != ObjectFormat.Unknown, ObjectFormats.TryParse(Encoding.ASCII.GetBytes(format.Name()), out var read));
            Assert.Equal(format, read);
        }
    }
}
