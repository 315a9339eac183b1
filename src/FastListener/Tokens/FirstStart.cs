namespace FastListener.Tokens;

/// <summary>What a listener that nobody has configured yet needs, so that a first crash can be sent at once.</summary>
internal static class FirstStart
{
    public const string Universe = "local";
    public const string Project = "crashes";

    /// <summary>
    /// When there is no tokens.json, makes one with a single random token that may post errors, symbols and
    /// synchronously, and returns that token. Null when the file exists, whatever it holds.
    /// </summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static TokenSecret? EnsureToken(string dataDirectory, TimeProvider clock)
    {
        if (File.Exists(TokenFile.PathIn(dataDirectory)))
        {
            return null;
        }

        TokenSecret? made = null;
        TokenFile.Edit(dataDirectory, document =>
        {
            if (File.Exists(TokenFile.PathIn(dataDirectory)))
            {
                return document; // another process was first
            }

            made = TokenSecret.CreateRandom();
            return document.With(new(
                made, Universe, Project,
                Capabilities.ErrorPost | Capabilities.SymbolPost | Capabilities.SyncPost,
                CreatedAt: clock.GetUtcNow()));
        });
        return made;
    }
}
