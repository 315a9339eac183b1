using System.Text;
using CsCheck;
using FastListener.Protocol.Tests.Support;
using FastListener.Protocol.Text;

namespace FastListener.Protocol.Tests.Text;

/// <summary>Percent escapes, queries and encoded words.</summary>
public class TextTests
{
    [Theory]
    [InlineData("", "", "")]
    [InlineData("abc", "abc", "abc")]
    [InlineData("a+b", "a+b", "a b")]
    [InlineData("a%20b%2B%2b", "a b++", "a b++")]
    [InlineData("%41%c3%B6", "A\xC3\xB6", "A\xC3\xB6")]
    [InlineData("%00", "\0", "\0")]
    [InlineData("100%", "100%", "100%")]
    [InlineData("%4", "%4", "%4")]
    [InlineData("%4x%x4%%41", "%4x%x4%A", "%4x%x4%A")]
    [InlineData("\xFF%FF", "\xFF\xFF", "\xFF\xFF")]
    public void Valid_escapes_are_decoded_and_others_stay(string source, string decoded, string plusDecoded)
    {
        Assert.Equal(decoded, Decode(source, plusIsSpace: false));
        Assert.Equal(plusDecoded, Decode(source, plusIsSpace: true));
    }

    [Fact]
    public void Decoding_in_place_works_and_a_short_destination_is_told()
    {
        var bytes = "a%20b+c%zz"u8.ToArray();
        Assert.Equal("a b c%zz", HeadReading.Latin1(bytes.AsSpan(0, PercentDecoding.Decode(bytes, bytes, plusIsSpace: true))));
        Assert.Throws<ArgumentException>(() => PercentDecoding.Decode("abc"u8, new byte[2], plusIsSpace: false));
    }

    [Fact]
    public void What_the_platform_escapes_is_decoded_back() =>
        Gen.String.Sample(text =>
        {
            var whole = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)); // lone surrogates go
            Assert.Equal(Encoding.UTF8.GetBytes(whole), HeadReading.Bytes(Decode(Uri.EscapeDataString(whole), plusIsSpace: false)));
        });

    [Theory]
    [InlineData("", "")]
    [InlineData("&&?", "?:")] // a lone question mark is a name like any other
    [InlineData("a=1&b=2", "a=1 b=2")]
    [InlineData("a=1&a=2&A=3", "a=1 a=2 A=3")]
    [InlineData("json&token=x", "json: token=x")]
    [InlineData("a=&=b&=", "a= =b =")]
    [InlineData("a=b=c", "a=b=c")]
    [InlineData("&a=1&&b=2&", "a=1 b=2")]
    [InlineData("a=%26&b=x+y", "a=%26 b=x+y")]
    [InlineData("a=1&_mod_sync=1?format=dump", "a=1 _mod_sync=1 format=dump")] // lenient list: a second question mark
    [InlineData("?a=1", "a=1")]
    [InlineData("note=why?&b=1", "note=why? b=1")]
    [InlineData("note=why? because&b=1", "note=why? because b=1")]
    [InlineData("note=a?b&c=1", "note=a?b c=1")]
    public void A_query_is_walked_in_order(string query, string pairs)
    {
        var found = new List<string>();
        var reader = new QueryReader(HeadReading.Bytes(query));
        while (reader.MoveNext())
        {
            found.Add(HeadReading.Latin1(reader.Name) + (reader.HasValue ? "=" : ":") + HeadReading.Latin1(reader.Value));
        }

        Assert.Equal(pairs, string.Join(' ', found));
        Assert.False(reader.MoveNext());
    }

    [Theory]
    [InlineData("=?utf-8?B?Z3LDtsOf?=", "größ")]
    [InlineData("=?utf-8?b?Z3I?=", null)] // padding is missing
    [InlineData("=?us-ascii?q?a_b=3D?=", "a b=")]
    [InlineData("=?utf-8*de?Q?x?=", "x")]
    [InlineData("=?latin1?Q?=E9?=", "é")]
    [InlineData("=?utf-8?Q?=E9?=", null)]
    [InlineData("=?utf-8?Q?=4?=", null)]
    [InlineData("a =?utf-8?Q?b?= c", "a b c")]
    [InlineData("=?utf-8?Q?a?= \t =?utf-8?Q?b?=", "ab")]
    [InlineData("=?utf-8?Q?a?= - =?utf-8?Q?b?=", "a - b")]
    [InlineData("=?utf-8?Q?a?= =?x?Q?b?=", "a =?x?Q?b?=")]
    [InlineData("=?x?Q?a?= =?utf-8?Q?b?=", "=?x?Q?a?= b")]
    [InlineData("=?utf-8?Q??=", "")]
    [InlineData("plain", null)]
    [InlineData("", null)]
    [InlineData("=?=?utf-8?Q?a?=", "=?a")]
    public void Encoded_words_are_decoded_and_the_rest_stays(string source, string? decoded)
    {
        var destination = new byte[EncodedWords.MaxDecodedLength(source.Length)];
        Assert.Equal(decoded is not null, EncodedWords.TryDecode(HeadReading.Bytes(source), destination, out var written));
        Assert.Equal(decoded ?? "", Encoding.UTF8.GetString(destination.AsSpan(0, written)));
    }

    [Fact]
    public void A_short_destination_for_words_is_told() =>
        Assert.Throws<ArgumentException>(() => EncodedWords.TryDecode("abc"u8, new byte[5], out _));

    private static string Decode(string source, bool plusIsSpace)
    {
        var bytes = HeadReading.Bytes(source);
        var decoded = new byte[bytes.Length];
        return HeadReading.Latin1(decoded.AsSpan(0, PercentDecoding.Decode(bytes, decoded, plusIsSpace)));
    }
}
