using System.Runtime.CompilerServices;
using FastListener.Storage.Payloads;

namespace FastListener.Storage;

/// <summary>
/// The bytes of one report or attachment while they arrive: in pooled memory up to the inline limit, in a file of their own past it.
/// Owned by its submission.
/// </summary>
public sealed class Payload
{
    private const int HeadBytes = 512;
    private readonly SubmissionParts _submission;
    private readonly byte[] _head = new byte[HeadBytes];
    private readonly byte[] _checksum = new byte[16];
    private TextRange _name;
    private TextRange _fileName;
    private TextRange _contentType;
    private int _inlineStart;
    private TextRange _omittedReason;

    internal Payload(SubmissionParts submission) => _submission = submission;

    /// <summary>Report or attachment; may change until the commit.</summary>
    public PayloadKind Kind { get; set; }

    /// <summary>The name it was sent under (UTF-8). Valid until more text is added to the submission.</summary>
    public ReadOnlySpan<byte> Name => _submission.Text(_name);

    /// <summary>The file name it was sent with (UTF-8). Valid until more text is added to the submission.</summary>
    public ReadOnlySpan<byte> FileName => _submission.Text(_fileName);

    /// <summary>The content type it was sent with (UTF-8). Valid until more text is added to the submission.</summary>
    public ReadOnlySpan<byte> ContentType => _submission.Text(_contentType);

    /// <summary>Bytes written so far, also when they were not kept.</summary>
    public long Length { get; private set; }

    /// <summary>The first bytes, at most 512, for recognising formats. Valid until the submission ends.</summary>
    public ReadOnlySpan<byte> Head => _head.AsSpan(0, (int)Math.Min(Length, HeadBytes));

    /// <summary>True once the bytes go to a file of their own.</summary>
    public bool IsSpilled => File is not null;

    /// <summary>True after <see cref="CompleteAsync"/>.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>True after <see cref="Omit"/>: its bytes will not be stored.</summary>
    public bool IsOmitted { get; private set; }

    internal PayloadFile? File { get; private set; }

    internal int InlineStart => _inlineStart;

    internal TextRange OmittedReason => _omittedReason;

    internal ReadOnlySpan<byte> Checksum => _checksum;

    /// <summary>
    /// Takes more bytes. Usually completes at once; waits when memory is spent or the disk is slower than the sender. The memory must stay valid
    /// until it completes. Throws <see cref="StorageFaultException"/>; then the submission can only be disposed.
    /// </summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        if (IsComplete)
        {
            throw new InvalidOperationException("The payload is complete.");
        }

        if (bytes.IsEmpty)
        {
            return default;
        }

        if (Length < HeadBytes)
        {
            bytes.Span[..Math.Min(bytes.Length, HeadBytes - (int)Length)].CopyTo(_head.AsSpan((int)Length));
        }

        _submission.Hash.Append(bytes.Span);
        Length += bytes.Length;
        if (IsOmitted)
        {
            return default;
        }

        if (File is not null)
        {
            return File.WriteAsync(bytes);
        }

        return FitsInline(bytes.Length) && _submission.Inline.TryAppend(bytes.Span) ? default : WriteSlowAsync(bytes);
    }

    /// <summary>No more bytes: seals the payload. A file is synced, moved into place and its directory synced before this completes.</summary>
    public ValueTask CompleteAsync()
    {
        if (IsComplete)
        {
            return default;
        }

        if (File is not null)
        {
            return SealFileAsync();
        }

        Seal();
        return default;
    }

    /// <summary>
    /// Gives its bytes up, for good: what is held of them, in memory or in a file, is erased, and what still comes is only counted and hashed.
    /// The object keeps its names, content type, size and checksum, and the reason (UTF-8, copied). Possible until the commit, for any payload;
    /// a write must not be under way.
    /// </summary>
    public void Omit(ReadOnlySpan<byte> reason)
    {
        if (IsOmitted)
        {
            return;
        }

        IsOmitted = true;
        _omittedReason = _submission.AddText(reason);
        if (File is { } file)
        {
            File = null;
            file.Erase();
        }
        else
        {
            _submission.RemoveInline(this);
        }
    }

    /// <summary>Takes the payload out of the submission again and erases its bytes. Only the last one can be discarded.</summary>
    public void Discard() => _submission.DiscardLast(this);

    internal void Begin(PayloadKind kind, TextRange name, TextRange fileName, TextRange contentType)
    {
        Kind = kind;
        (_name, _fileName, _contentType) = (name, fileName, contentType);
        Length = 0;
        IsComplete = false;
        IsOmitted = false;
        _omittedReason = default;
        _inlineStart = _submission.Inline.Length;
        _submission.Hash.Reset();
    }

    /// <summary>Gives up what it holds; the file is erased unless it was taken with <see cref="TakeFile"/>.</summary>
    internal void Drop()
    {
        File?.Erase();
        File = null;
        Length = 0;
    }

    internal void MoveInline(int by) => _inlineStart += by;

    internal PayloadFile? TakeFile()
    {
        var file = File;
        File = null;
        return file;
    }

    private bool FitsInline(int more) =>
        (long)_submission.Inline.Length + more <= (Length <= _submission.Pool.SmallPayload ? _submission.Pool.InlineCeiling : _submission.Pool.InlineLimit);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteSlowAsync(ReadOnlyMemory<byte> bytes)
    {
        var inline = _submission.Inline;
        while (FitsInline(bytes.Length))
        {
            if (inline.TryAppend(bytes.Span))
            {
                return;
            }

            if (!await inline.WaitForRoomAsync(_submission.Pool.MemoryWait).ConfigureAwait(false))
            {
                _submission.Pool.CountMemorySpill();
                break;
            }
        }

        File = new(_submission.Pool.Files);
        for (var position = _inlineStart; position < inline.Length;)
        {
            var segment = inline.SegmentAt(position);
            await File.WriteAsync(segment).ConfigureAwait(false);
            position += segment.Length;
        }

        inline.Truncate(_inlineStart);
        await File.WriteAsync(bytes).ConfigureAwait(false);
    }

    private async ValueTask SealFileAsync()
    {
        await File!.SealAsync().ConfigureAwait(false);
        Seal();
    }

    private void Seal()
    {
        _submission.Hash.GetCurrentHash(_checksum);
        IsComplete = true;
    }
}
