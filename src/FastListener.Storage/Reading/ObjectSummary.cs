using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace FastListener.Storage;

/// <summary>One object as the catalog alone knows it: cheap to list.</summary>
public record ObjectSummary
{
    /// <summary>The object's id.</summary>
    public required long Id { get; init; }

    /// <summary>The random word of its <c>_rxid</c>.</summary>
    public required uint Random { get; init; }

    /// <summary>The <c>_rxid</c>, lower case.</summary>
    public string Rxid => ReceiptId.Rxid(Id, Random);

    /// <summary>Universe it belongs to.</summary>
    public required string Universe { get; init; }

    /// <summary>Project it belongs to.</summary>
    public required string Project { get; init; }

    /// <summary>Format of its report.</summary>
    public required ObjectFormat Format { get; init; }

    /// <summary>When its submission began to arrive (UTC, to the microsecond).</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>When it was committed (UTC, to the microsecond).</summary>
    public required DateTimeOffset CommittedAt { get; init; }

    /// <summary>Who sent it, when known.</summary>
    public IPAddress? ClientAddress { get; init; }

    /// <summary>Payloads that came with the crash, the report included; late attachments are not counted.</summary>
    public required int PayloadCount { get; init; }

    /// <summary>Bytes of those payloads as they were sent, kept or not.</summary>
    public required long PayloadBytes { get; init; }

    /// <summary>Whoever sent it (<see cref="Submission.Account"/>); null for an object from before accounts were kept.</summary>
    public string? Account { get; init; }

    /// <summary>Bytes that were received for it; 0 for an object from before they were counted.</summary>
    public long WireBytes { get; init; }

    /// <summary>What of the submission was given up on purpose.</summary>
    public Degradation Degradation { get; init; }

    /// <summary>Why; empty when nothing was given up.</summary>
    public string DegradedReason { get; init; } = string.Empty;

    /// <summary>
    /// True for an object that salvage found where it could not prove a commit, beyond the last one or by search around damage: it is whole, but may never
    /// have been acknowledged.
    /// </summary>
    public bool Unconfirmed { get; init; }
}

/// <summary>One object with all there is to know about it.</summary>
public sealed record ObjectDetails : ObjectSummary
{
    [SetsRequiredMembers]
    internal ObjectDetails(ObjectSummary summary)
        : base(summary)
    {
    }

    /// <summary>Every attribute in the order it was added, repeats included. Empty when the record cannot be read: <see cref="Damage"/> says so.</summary>
    public IReadOnlyList<StoredAttribute> Attributes { get; init; } = [];

    /// <summary>What the server noticed about the submission, in order.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Every payload, late attachments included; the position in the list is <see cref="PayloadInfo.Index"/> unless a late attachment was lost.</summary>
    public IReadOnlyList<PayloadInfo> Payloads { get; init; } = [];

    /// <summary>What is wrong with the object's record or its row in the catalog; null when they read well. Payload bytes are not checked here: that is what verification does.</summary>
    public string? Damage { get; init; }

    /// <summary>One value per name, in order of first appearance: the highest source wins, within a source the last value.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> EffectiveAttributes => StoredAttribute.Effective(Attributes);
}

/// <summary>A name and value of an object. Bytes that are not UTF-8 read as U+FFFD.</summary>
public readonly record struct StoredAttribute(string Name, string Value, AttributeSource Source)
{
    internal static List<KeyValuePair<string, string>> Effective(IReadOnlyList<StoredAttribute> attributes)
    {
        var order = new List<StoredAttribute>(attributes.Count);
        var places = new Dictionary<string, int>(attributes.Count, StringComparer.Ordinal);
        foreach (var attribute in attributes)
        {
            if (!places.TryGetValue(attribute.Name, out var place))
            {
                places.Add(attribute.Name, order.Count);
                order.Add(attribute);
            }
            else if (attribute.Source >= order[place].Source)
            {
                order[place] = attribute;
            }
        }

        return order.ConvertAll(a => KeyValuePair.Create(a.Name, a.Value));
    }
}

/// <summary>One payload of an object, and where its bytes lie.</summary>
public sealed record PayloadInfo
{
    /// <summary>Decimal count within the object: the report is 0, then what came with the crash, then late attachments.</summary>
    public required int Index { get; init; }

    /// <summary>Report or attachment.</summary>
    public required PayloadKind Kind { get; init; }

    /// <summary>The name it was sent under (form field or attachment name); may be empty.</summary>
    public required string Name { get; init; }

    /// <summary>The file name it was sent with, as sent: never a path to write to unchecked. May be empty.</summary>
    public required string FileName { get; init; }

    /// <summary>The content type it was sent with; may be empty.</summary>
    public required string ContentType { get; init; }

    /// <summary>Bytes.</summary>
    public required long Size { get; init; }

    /// <summary>XXH3-128 of the bytes, 32 lower-case hex digits (canonical, big-endian form).</summary>
    public required string Checksum { get; init; }

    /// <summary>When it was committed (UTC).</summary>
    public required DateTimeOffset AddedAt { get; init; }

    /// <summary>Where the bytes lie, relative to the data directory: <c>packs/0000000001.pack+8192</c> or <c>files/ab/ab...</c>; empty when they were not kept.</summary>
    public required string Location { get; init; }

    /// <summary>True when the bytes were given up as they came: all else about the payload is as it was sent.</summary>
    public bool IsOmitted => OmittedReason is not null;

    /// <summary>Why the bytes were not kept; null when they are stored.</summary>
    public string? OmittedReason { get; init; }

    internal long Pack { get; init; }

    internal long Offset { get; init; }

    internal string? File { get; init; }

    internal bool IsInline => File is null && OmittedReason is null;
}

/// <summary>Which objects to list. Unset properties do not restrict.</summary>
public sealed record ObjectQuery
{
    /// <summary>Only this universe.</summary>
    public string? Universe { get; init; }

    /// <summary>Only projects of this name.</summary>
    public string? Project { get; init; }

    /// <summary>Only objects whose effective attributes have all of these values, byte for byte.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Attributes { get; init; } = [];

    /// <summary>Only objects received at this time or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>At most so many, the newest.</summary>
    public int Limit { get; init; } = int.MaxValue;
}
