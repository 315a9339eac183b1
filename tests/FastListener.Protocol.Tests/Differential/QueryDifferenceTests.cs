using System.Text;
using CsCheck;
using FastListener.Protocol.Tests.Support;
using FastListener.Protocol.Text;
using Microsoft.AspNetCore.WebUtilities;

namespace FastListener.Protocol.Tests.Differential;

/// <summary>Our query reader and percent-decoding beside QueryHelpers: the same pairs from every ordinary query, and every deliberate difference shown.</summary>
public class QueryDifferenceTests
{
    /// <summary>Difference, query, the stock parser's pairs, our pairs.</summary>
    public static TheoryData<string, string, string, string> Differences => new()
    {
        { "a second question mark before name= separates, as documentation that people paste from has it", "a=1?b=2", "a=1?b=2", "a=1 b=2" },
        { "so does a first one, which for the stock parser begins a query", "&?b=2", "?b=2", "b=2" },
        { "names that differ by case are two", "a=1&A=2", "a=1,2", "a=1 A=2" },
        { "an escape that is not UTF-8 is decoded all the same; whoever reads the bytes decides", "a=%FF", "a=%FF", "a=\xFF" },
    };

    [Theory]
    [MemberData(nameof(Differences))]
    public void Differences_are_deliberate(string why, string query, string stock, string ours)
    {
        Assert.NotEmpty(why);
        Assert.Equal(stock, string.Join(' ', QueryHelpers.ParseQuery(query).Select(p => p.Key + "=" + p.Value)));
        Assert.Equal(ours, string.Join(' ', Read(HeadReading.Bytes(query)).Select(p => HeadReading.Latin1(p.Name) + "=" + HeadReading.Latin1(p.Value))));
    }

    [Fact]
    public void They_read_the_same_from_ordinary_queries()
    {
        var text = Gen.String[Gen.Char["ab1 +%&=;/\u00E4\u20AC"], 0, 8];
        var raw = Gen.String[Gen.Char["z1+%;/="], 0, 8];
        var pair = Gen.Select(text.Where(t => t.Length > 0), text, raw, Gen.Bool, Gen.Bool);
        pair.Array[0, 8].Sample(pairs =>
        {
            var query = new StringBuilder();
            foreach (var (name, value, unescaped, escape, hasValue) in pairs)
            {
                query.Append(query.Length == 0 ? "" : "&").Append(Uri.EscapeDataString(name)).Append(hasValue ? "=" + (escape ? Uri.EscapeDataString(value) : unescaped) : "");
            }

            var stock = QueryHelpers.ParseQuery(query.ToString());
            var ours = Read(Encoding.UTF8.GetBytes(query.ToString())).GroupBy(p => Encoding.UTF8.GetString(p.Name), p => Encoding.UTF8.GetString(p.Value), StringComparer.OrdinalIgnoreCase);
            Assert.Equal(
                stock.Select(p => p.Key + "=" + string.Join('|', p.Value.AsEnumerable())).Order(StringComparer.Ordinal),
                ours.Select(g => g.Key + "=" + string.Join('|', g)).Order(StringComparer.Ordinal));
        }, iter: 3000);
    }

    private static List<(byte[] Name, byte[] Value)> Read(byte[] query)
    {
        var pairs = new List<(byte[], byte[])>();
        var reader = new QueryReader(query);
        while (reader.MoveNext())
        {
            pairs.Add((Decode(reader.Name), Decode(reader.Value)));
        }

        return pairs;
    }

    private static byte[] Decode(ReadOnlySpan<byte> encoded)
    {
        var decoded = new byte[encoded.Length];
        return decoded[..PercentDecoding.Decode(encoded, decoded, plusIsSpace: true)];
    }
}
