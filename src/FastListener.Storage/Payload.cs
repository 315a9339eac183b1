namespace FastListener.Storage;

/// <summary>
/// The bytes of one report or attachment while they arrive: in pooled memory up to the inline limit, in a file of their own past it.
/// Owned by its submission.
/// </summary>
public sealed class Payload
{
    internal Payload()
    {
    }

    /// <summary>Report or attachment; may change until the commit.</summary>
    public PayloadKind Kind { get; set; }

    /// <summary>The name it was sent under (UTF-8).</summary>
    public ReadOnlySpan<byte> Name => default;

    /// <summary>The file name it was sent with (UTF-8).</summary>
    public ReadOnlySpan<byte> FileName => default;

    /// <summary>The content type it was sent with (UTF-8).</summary>
    public ReadOnlySpan<byte> ContentType => default;

    /// <summary>Renames it (UTF-8, copied); possible until the commit.</summary>
    public void SetName(ReadOnlySpan<byte> name) => throw new NotSupportedException(name.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Bytes written so far.</summary>
    public long Length => 0;

    /// <summary>The first bytes, at most 512, for recognising formats. Valid until the submission ends.</summary>
    public ReadOnlySpan<byte> Head => default;

    /// <summary>True once the bytes go to a file of their own.</summary>
    public bool IsSpilled => false;

    /// <summary>
    /// Takes more bytes. Usually completes at once; waits when memory is spent or the disk is slower than the sender. The memory must stay valid
    /// until it completes. Throws <see cref="StorageFaultException"/>; then the submission can only be disposed.
    /// </summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes) => throw new NotSupportedException(bytes.ToString());

    /// <summary>No more bytes: seals the payload. A file is synced, moved into place and its directory synced before this completes.</summary>
    public ValueTask CompleteAsync() => throw new NotSupportedException();

    /// <summary>Takes the payload out of the submission again and erases its bytes. Only the last one can be discarded.</summary>
    public void Discard() => throw new NotSupportedException();
}
