using FastListener.Tokens;
using Xunit;

namespace FastListener.Tests.Tokens;

public class TokenSecretTests
{
    [Theory]
    [InlineData("0123456789abcdef", "0123…ef")]
    [InlineData("0123456789", "01…9")]
    [InlineData("012345678", "…")]
    [InlineData("x", "…")]
    [InlineData("\u001b[2J56789abcde\nf", "?[2J…?f")]
    public void A_mask_shows_too_little_to_use_and_nothing_a_terminal_obeys(string value, string masked)
    {
        var secret = new TokenSecret(value);

        Assert.Equal(masked, secret.Masked);
        Assert.Equal(masked, secret.ToString());
        Assert.Equal(masked, $"{secret}");
        Assert.Equal(value, secret.Reveal());
    }

    [Fact]
    public void Whatever_prints_an_entry_or_a_grant_prints_no_token()
    {
        var entry = new TokenEntry(TokenSecret.CreateRandom(), "local", "crashes", Capabilities.ErrorPost);
        var value = entry.Token.Reveal();

        Assert.DoesNotContain(value, entry.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(value, new TokenGrant(entry).ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(value, new TokenGrant(entry).Key, StringComparison.Ordinal);
    }

    [Fact]
    public void A_random_token_looks_like_a_real_one_and_is_never_the_same_twice()
    {
        var one = TokenSecret.CreateRandom().Reveal();

        Assert.Matches("^[0-9a-f]{64}$", one);
        Assert.NotEqual(one, TokenSecret.CreateRandom().Reveal());
    }
}
