using System.Text;
using FastListener.Overload;

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

    /// <param name="entry">The token in the file.</param>
    /// <param name="traffic">What went before under the same key; null when it is new.</param>
    public TokenGrant(TokenEntry entry, TokenTraffic? traffic = null)
    {
        Traffic = traffic ?? new();
        _secret = entry.Token;
        _universe = Encoding.UTF8.GetBytes(entry.Universe);
        _project = Encoding.UTF8.GetBytes(entry.Project);
        Universe = entry.Universe;
        Project = entry.Project;
        Capabilities = entry.Capabilities;
        Enabled = entry.Enabled;
        Limits = entry.Limits ?? TokenLimits.None;
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

    /// <summary>What it may bring, where that differs from the settings.</summary>
    public TokenLimits Limits { get; }

    /// <summary>What its uploads take of the listener now; survives a change of the file.</summary>
    public TokenTraffic Traffic { get; }

    public bool Allows(Capabilities capability) => (Capabilities & capability) == capability;

    public override string ToString() => $"{Masked} ({Universe}/{Project})";
}
