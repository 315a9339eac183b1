using FastListener.Overload;
using FastListener.Tokens;

namespace FastListener.Intake;

/// <summary>Keeps the limits that the gates enforce the same as those of the tokens, through every change of the file.</summary>
internal static class TokenRates
{
    /// <summary>Puts the limits of every token in force, now and after each change.</summary>
    public static void Follow(TokenRefresher tokens, OverloadControl overload)
    {
        tokens.Replaced += table => Apply(table, overload);
        Apply(tokens.Table, overload);
    }

    private static void Apply(TokenTable table, OverloadControl overload)
    {
        var general = overload.Limits;
        foreach (var grant in table.Grants)
        {
            overload.Apply(
                grant.Traffic,
                grant.Limits.MaxUploads ?? general.MaxUploadsPerToken,
                grant.Limits.BytesPerSecond ?? general.BytesPerSecondPerToken,
                grant.Limits.BurstBytes ?? general.BurstBytesPerToken);
        }
    }
}
