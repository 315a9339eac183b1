using FastListener.Configuration;

namespace FastListener.Tokens;

/// <summary>
/// What one token may bring, where that differs from what the settings say for all: the object <c>limits</c> of <c>tokens.json</c>.
/// Null: the setting holds; 0: no limit.
/// </summary>
internal sealed record TokenLimits
{
    /// <summary>A token that says nothing of its own.</summary>
    public static TokenLimits None { get; } = new();

    /// <summary><c>maxBodyBytes</c>: a body after de-chunking and inflating, whatever it is.</summary>
    public long? MaxBodyBytes { get; init; }

    /// <summary><c>maxWireBytes</c>: a body as it comes over the wire.</summary>
    public long? MaxWireBytes { get; init; }

    /// <summary><c>maxAttachments</c>: attachments of one object.</summary>
    public int? MaxAttachments { get; init; }

    /// <summary><c>maxAttachmentBytes</c>: one attachment.</summary>
    public long? MaxAttachmentBytes { get; init; }

    /// <summary><c>maxUploads</c>: uploads at once.</summary>
    public int? MaxUploads { get; init; }

    /// <summary><c>bytesPerSecond</c>: what may come in a second, all uploads together.</summary>
    public long? BytesPerSecond { get; init; }

    /// <summary><c>burstBytes</c>: what may be saved up of that.</summary>
    public long? BurstBytes { get; init; }

    /// <summary><c>requestSeconds</c>: all waits for the bytes of one body together.</summary>
    public int? RequestSeconds { get; init; }

    /// <summary><c>degrade</c>: what may be given up before it is refused.</summary>
    public Rungs? Degrade { get; init; }
}
