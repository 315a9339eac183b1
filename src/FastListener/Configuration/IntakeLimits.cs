namespace FastListener.Configuration;

/// <summary>What one request may bring. Which of these 0 switches off is said beside each.</summary>
internal sealed record IntakeLimits
{
    /// <summary>Request line and header fields together, bytes. 32 KiB is what Kestrel and nginx allow for headers alone.</summary>
    public int MaxHeadBytes { get; init; } = 32 * 1024;

    /// <summary>Header fields of one request. 100 is Kestrel's and hyper's default.</summary>
    public int MaxFields { get; init; } = 100;

    /// <summary>Request target, bytes. 8 KiB is nginx's and Kestrel's request line; attributes in the query need room.</summary>
    public int MaxTargetBytes { get; init; } = 8 * 1024;

    /// <summary>Body after de-chunking, bytes, both as it was sent and inflated. 8 GiB: a full-memory dump of a large game fits; 0 is unlimited.</summary>
    public long MaxBodyBytes { get; init; } = 8L * 1024 * 1024 * 1024;

    /// <summary>Body as it comes over the wire, framing included, bytes. 0, unlimited: what counts is what it becomes; for those who pay by the byte.</summary>
    public long MaxWireBytes { get; init; }

    /// <summary><see cref="MaxBodyBytes"/> for symbols, sourcemap and proguard uploads. 0, unlimited: the vendor documents no upper limit.</summary>
    public long MaxSymbolBytes { get; init; }

    /// <summary>
    /// Inflated bytes per received byte that a compressed body may reach once it has grown past <see cref="InflationGraceBytes"/>. 250, our choice: Apache's
    /// mod_deflate has 200, deflate itself ends at 1,032, and real minidumps of 100 are known (24 MB in 240 KB, sentry-electron #285).
    /// </summary>
    public int MaxInflationRatio { get; init; } = 250;

    /// <summary>
    /// Inflated bytes below which the ratio is not looked at: a dump of zeros is a real dump. 256 MiB, our choice, no precedent of that size found: more than ten
    /// times the 15 to 20 MB that the vendor gives for an average crash with its attachments.
    /// </summary>
    public long InflationGraceBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>Parts of one multipart body. 1,024 is ASP.NET Core's form limit; Go's is 1,000.</summary>
    public int MaxParts { get; init; } = 1024;

    /// <summary>Header of one part, bytes. 16 KiB is what ASP.NET Core's MultipartReader allows.</summary>
    public int MaxPartHeadBytes { get; init; } = 16 * 1024;

    /// <summary>Name of an attribute, bytes of UTF-8. Crashpad's own limit is 255.</summary>
    public int MaxAttributeNameBytes { get; init; } = 256;

    /// <summary>
    /// Value of an attribute, bytes of UTF-8. A longer form field is kept whole, as an attachment; so our choice may be smaller than those of who
    /// refuses it (busboy 1 MiB, ASP.NET Core 4 MiB).
    /// </summary>
    public int MaxAttributeValueBytes { get; init; } = 64 * 1024;

    /// <summary>Attributes of one submission. 8,192: eight times what a form has parts. Those of a JSON report beyond it are not searched by, and noted. 0 is unlimited.</summary>
    public int MaxAttributes { get; init; } = 8192;

    /// <summary>
    /// All attributes of a submission together, names and values, bytes. 4 MiB, the most that the store takes; our choice, no precedent found: ASP.NET Core
    /// allows as much for one value.
    /// </summary>
    public int MaxAttributeBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Attachments of one object, with the crash and later. 1,000: what <see cref="MaxParts"/> lets come at once, rounded; 0 is unlimited.</summary>
    public int MaxAttachments { get; init; } = 1000;

    /// <summary>One attachment, bytes. 0, unlimited: the body's limit holds it.</summary>
    public long MaxAttachmentBytes { get; init; }

    /// <summary>
    /// Bytes of all forms together that may be staged while their token field has not arrived yet, beyond the 64 KiB that each may bring: for sixteen
    /// at once, a sixteenth each; others wait. 1 GiB: a dump of 64 MiB before its token. 0: every token must stand in the address.
    /// </summary>
    public long MaxUnauthenticatedBytes { get; init; } = 1024L * 1024 * 1024;

    /// <summary>
    /// Connections served at once. Further ones wait unread, while idle ones make room for them; when an eighth as many and 64 wait, no more are accepted. 10,000: five times the sample in the
    /// vendor's configuration; the shipped unit allows 131,072 open files.
    /// </summary>
    public int MaxConnections { get; init; } = 10_000;

    /// <summary>The same from one address (of IPv6: one /64 network). 0, unlimited: carriers and proxies share addresses.</summary>
    public int MaxConnectionsPerAddress { get; init; }

    /// <summary>Uploads under way at once, from the token to the commit. 0, unlimited: connections are limited, and memory does not grow with uploads.</summary>
    public int MaxUploads { get; init; }

    /// <summary>The same with one token, for tokens that do not say themselves. 0 is unlimited: reading is fair without it.</summary>
    public int MaxUploadsPerToken { get; init; }

    /// <summary>Bytes that may come with one token in a second, for tokens that do not say themselves. 0 is unlimited.</summary>
    public long BytesPerSecondPerToken { get; init; }

    /// <summary>Bytes that a token within its rate may send at once. 16 MiB: a burst of some ordinary dumps, or one large one's beginning.</summary>
    public long BurstBytesPerToken { get; init; } = 16L * 1024 * 1024;
}
