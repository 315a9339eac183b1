using FastListener.Configuration;
using FastListener.Tokens;

namespace FastListener.Intake;

/// <summary>The limits that hold for one upload: the token's own where it has some, else those of the settings. Sizes in bytes; 0 is unlimited.</summary>
internal readonly record struct UploadTerms(
    long MaxBodyBytes, long MaxWireBytes, int MaxAttachments, long MaxAttachmentBytes, TimeSpan Whole, Rungs Degrade)
{
    /// <param name="limits">The settings.</param>
    /// <param name="whole">The setting for the whole request.</param>
    /// <param name="degrade">The rungs of the settings.</param>
    /// <param name="grant">The token; null while none has been seen, and then nothing is given up.</param>
    /// <param name="symbols">Whether symbols are sent: half of a symbol file is none, so nothing of it is given up.</param>
    public static UploadTerms Of(IntakeLimits limits, TimeSpan whole, Rungs degrade, TokenGrant? grant, bool symbols)
    {
        var own = grant?.Limits ?? TokenLimits.None;
        return new(
            own.MaxBodyBytes ?? (symbols && grant is not null ? limits.MaxSymbolBytes : limits.MaxBodyBytes),
            own.MaxWireBytes ?? limits.MaxWireBytes,
            own.MaxAttachments ?? limits.MaxAttachments,
            own.MaxAttachmentBytes ?? limits.MaxAttachmentBytes,
            own.RequestSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : whole,
            grant is null || symbols ? Rungs.None : own.Degrade ?? degrade);
    }
}
