using FastListener.Storage;
using Xunit;

namespace FastListener.Tests.Cli;

public class AuditCommandTests
{
    [Theory]
    [InlineData("[{\"token\": \"0123456789abcdef\"")]
    [InlineData("{\"tokens\": 7}")]
    public async Task A_token_file_with_a_fault_costs_the_names_and_not_the_verdict(string tokens)
    {
        await using var crashes = await StoredCrashes.OpenAsync();
        await crashes.AddDegradedAsync(Degradation.WithoutAttachments, "too many", [.. "MDMP"u8], []);
        var sound = await crashes.Run("audit");
        Assert.Contains("(key 0123abcd)", sound.Out, StringComparison.Ordinal);
        await File.WriteAllTextAsync(crashes.Beside("tokens.json"), tokens, TestContext.Current.CancellationToken);

        foreach (var json in (string[][])[[], ["--json"]])
        {
            var run = await crashes.Run(["audit", .. json]);
            Assert.Equal(sound.Exit, run.Exit);
            Assert.Contains("0123abcd", run.Out, StringComparison.Ordinal);
            Assert.Contains("tokens.json cannot be used: ", run.Error, StringComparison.Ordinal);
            Assert.Contains(" Tokens are told by their keys.\n", run.Error, StringComparison.Ordinal);
        }

        Assert.Equal(sound.Out, (await crashes.Run("audit")).Out);
    }
}
