namespace FastListener.Overload;

/// <summary>
/// What a token's uploads take of the listener now. Lives as long as the token does, whatever is edited about it: a new table of tokens
/// takes it over from the one before.
/// </summary>
internal sealed class TokenTraffic
{
    /// <summary>Its part in the limit of uploads at once.</summary>
    public GateShare Uploads { get; } = new();

    /// <summary>Its part in the turns of reading, and its rate.</summary>
    public GateShare Reading { get; } = new();
}
