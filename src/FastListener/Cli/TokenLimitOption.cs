using System.CommandLine;
using FastListener.Tokens;

namespace FastListener.Cli;

/// <summary>The option <c>--limit KEY=VALUE</c>.</summary>
internal static class TokenLimitOption
{
    public static Option<string[]> Create()
    {
        var option = new Option<string[]>("--limit")
        {
            Description = $"A limit of its own in place of the setting: {string.Join(", ", TokenLimitWords.Known)}. 0 is unlimited, nothing after the = the setting again. May be repeated.",
            HelpName = "KEY=VALUE",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
        };
        option.Validators.Add(result =>
        {
            foreach (var token in result.Tokens)
            {
                var limits = TokenLimits.None;
                if (!TokenLimitWords.TryApply(ref limits, token.Value, out var fault))
                {
                    result.AddError($"--limit {TerminalText.Escape(fault)}.");
                }
            }
        });
        return option;
    }

    /// <summary>The limits with what was said; null when nothing of its own is left.</summary>
    public static TokenLimits? Apply(TokenLimits? before, string[]? assignments)
    {
        var limits = before ?? TokenLimits.None;
        foreach (var assignment in assignments ?? [])
        {
            TokenLimitWords.TryApply(ref limits, assignment, out _); // checked when the line was read
        }

        return limits == TokenLimits.None ? null : limits;
    }
}
