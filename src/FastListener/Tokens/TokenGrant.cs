using System.Text;

namespace FastListener.Tokens;

/// <summary>
/// What one token stands for. Immutable; shared by every request that shows the token, and replaced, never changed,
/// when the file changes. State kept per token belongs under <see cref="Key"/>, which survives such a swap.
/// </summary>
internal sealed class TokenGrant
{
    private readonly TokenSecret _secret;
    private readonly byte[] _universe;
    private readonly byte[] _project;

    public TokenGrant(TokenEntry entry)
    {
        _secret = entry.Token;
        _universe = Encoding.UTF8.GetBytes(entry.Universe);
        _project = Encoding.UTF8.GetBytes(entry.Project);
        Universe = entry.Universe;
        Project = entry.Project;
        Capabilities = entry.Capabilities;
        Enabled = entry.Enabled;
        Limits = entry.Limits;
    }

    /// <summary>Stable across reloads and restarts, never the token itself, safe to log.</summary>
    public string Key => _secret.Key;

    /// <summary>The token with its middle left out.</summary>
    public string Masked => _secret.Masked;

    public string Universe { get; }

    public string Project { get; }

    public ReadOnlySpan<byte> UniverseUtf8 => _universe;

    public ReadOnlySpan<byte> ProjectUtf8 => _project;

    public Capabilities Capabilities { get; }

    /// <summary>False: answer as to a token that does not exist.</summary>
    public bool Enabled { get; }

    /// <summary>The JSON object under <c>limits</c> as it was written; null when there is none.</summary>
    public string? Limits { get; }

    public bool Allows(Capabilities capability) => (Capabilities & capability) == capability;

    public override string ToString() => $"{Masked} ({Universe}/{Project})";
}
