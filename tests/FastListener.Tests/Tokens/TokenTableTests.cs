using FastListener.Tests.Support;
using System.Text;
using FastListener.Tokens;
using Xunit;

namespace FastListener.Tests.Tokens;

public class TokenTableTests
{
    private static readonly string[] Values = ["a", "0123456789abcdef", new('7', 64), new string('x', 5_000) + "é", "white space/and|bars"];

    private readonly TokenTable _table = new(Values.Select((value, i) =>
        new TokenEntry(new(value), "local", $"project-{i}", Capabilities.ErrorPost, Enabled: i != 2)));

    [Fact]
    public void Every_token_is_found_by_its_exact_bytes_whatever_its_length()
    {
        for (var i = 0; i < Values.Length; i++)
        {
            Assert.True(_table.TryFind(Encoding.UTF8.GetBytes(Values[i]), out var grant));
            Assert.Equal($"project-{i}", grant.Project);
            Assert.True(grant.ProjectUtf8.SequenceEqual(Encoding.UTF8.GetBytes($"project-{i}")));
            Assert.True(grant.UniverseUtf8.SequenceEqual("local"u8));
        }
    }

    [Fact]
    public void A_token_that_stays_keeps_its_traffic_when_the_table_is_replaced()
    {
        Assert.True(_table.TryFind("a"u8, out var before));
        var next = new TokenTable([new TokenEntry(new("a"), "local", "moved", Capabilities.None), new TokenEntry(new("new"), "local", "p", Capabilities.None)], _table);
        Assert.True(next.TryFind("a"u8, out var after));
        Assert.True(next.TryFind("new"u8, out var added));
        Assert.Same(before.Traffic, after.Traffic);
        Assert.NotSame(before.Traffic, added.Traffic);
    }

    [Fact]
    public void Nothing_near_a_token_is_found()
    {
        foreach (var value in Values)
        {
            var bytes = Encoding.UTF8.GetBytes(value);
            Assert.False(_table.TryFind(bytes.AsSpan(1), out _));
            Assert.False(_table.TryFind([.. bytes, 0], out _));
            Assert.False(_table.TryFind([.. bytes[..^1], (byte)(bytes[^1] ^ 1)], out _));
            Assert.False(_table.TryFind([(byte)(bytes[0] ^ 0x20), .. bytes[1..]], out _));
        }

        Assert.False(_table.TryFind([], out var none));
        Assert.Null(none);
    }

    [Fact]
    public void A_disabled_token_is_found_and_marked()
    {
        Assert.True(_table.TryFind(Encoding.UTF8.GetBytes(Values[2]), out var grant));
        Assert.False(grant.Enabled);
    }

    [Fact]
    public void A_look_up_allocates_nothing_right_or_wrong()
    {
        var right = Encoding.UTF8.GetBytes(Values[3]);
        byte[] wrong = [.. right[..^1], 0];
        LookUp(right, wrong, 200); // until the code has been compiled

        var found = 0;
        Garbage.None(() => found = LookUp(right, wrong, 1_000));
        Assert.Equal(1_000, found);
    }

    /// <summary>A token of another project is a hit here: whoever asks compares its project or universe afterwards, and it stands for any that is right.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(60)]
    public void A_look_up_costs_one_hash_and_one_comparison_right_or_wrong_or_disabled(int tokens)
    {
        var counted = new CountedBytes();
        var table = new TokenTable(Enumerable.Range(0, tokens).Select(i => new TokenEntry(new($"token-{i:00}"), "local", $"project-{i}", Capabilities.ErrorPost, Enabled: i % 2 == 0)), null, counted);
        string[] shown = [.. Enumerable.Range(0, tokens).Select(i => $"token-{i:00}"), "token-99", "token-0", "Token-00", "", new('x', 1_000)];
        Assert.All(shown, token =>
        {
            counted.Clear();
            table.TryFind(Encoding.UTF8.GetBytes(token), out _);
            Assert.Equal((1, token.Length, 1, token.Length), (counted.Hashes, counted.HashedBytes, counted.Comparisons, counted.ComparedBytes));
        });
    }

    [Fact]
    public void The_key_of_a_grant_is_stable_and_is_not_the_token()
    {
        var again = new TokenTable([new(new(Values[1]), "other", "elsewhere", Capabilities.None)]);
        Assert.True(_table.TryFind(Encoding.UTF8.GetBytes(Values[1]), out var first));
        Assert.True(again.TryFind(Encoding.UTF8.GetBytes(Values[1]), out var second));

        Assert.Equal(first.Key, second.Key);
        Assert.Equal("05ad92cc2f1d2b2b4a9b3d6a".Length, first.Key.Length);
        Assert.DoesNotContain(Values[1], first.Key, StringComparison.Ordinal);
        Assert.Equal(Values.Length, _table.Grants.Select(grant => grant.Key).Distinct().Count());
    }

    [Fact]
    public void A_grant_allows_what_it_was_given_and_nothing_else()
    {
        var both = new TokenGrant(new(new("token"), "u", "p", Capabilities.ErrorPost | Capabilities.SymbolPost));

        Assert.True(both.Allows(Capabilities.ErrorPost));
        Assert.True(both.Allows(Capabilities.ErrorPost | Capabilities.SymbolPost));
        Assert.False(both.Allows(Capabilities.SyncPost));
        Assert.False(both.Allows(Capabilities.ErrorPost | Capabilities.SyncPost));
    }

    private int LookUp(byte[] right, byte[] wrong, int times)
    {
        var found = 0;
        for (var i = 0; i < times; i++)
        {
            found += _table.TryFind(right, out _) ? 1 : 0;
            found += _table.TryFind(wrong, out _) ? 1 : 0;
        }

        return found;
    }

    private sealed class CountedBytes : TokenTable.TokenBytes
    {
        public int Hashes { get; private set; }

        public int HashedBytes { get; private set; }

        public int Comparisons { get; private set; }

        public int ComparedBytes { get; private set; }

        public void Clear() => Hashes = HashedBytes = Comparisons = ComparedBytes = 0;

        public override int HashOf(ReadOnlySpan<byte> token)
        {
            Hashes++;
            HashedBytes += token.Length;
            return base.HashOf(token);
        }

        public override bool AreSame(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
        {
            Comparisons++;
            ComparedBytes += one.Length;
            return base.AreSame(one, other);
        }
    }
}
