using System.IO.Hashing;
using FastListener.Storage.Packs;

namespace FastListener.Storage.Payloads;

/// <summary>
/// What a submission borrows from the pool while it lives: buffers, payloads, the checksum state. The <see cref="Submission"/> itself is not
/// used again, so that a late touch finds a dead submission and never somebody else's.
/// </summary>
internal sealed class SubmissionParts
{
    private const int KeptPayloads = 8;
    private readonly List<Payload> _unused = [];

    public SubmissionParts(SubmissionPool pool)
    {
        Pool = pool;
        Inline = new(pool.Blocks);
    }

    public SubmissionPool Pool { get; }

    public List<Payload> Payloads { get; } = [];

    public ByteBuffer Attributes { get; } = new(2048);

    public ByteBuffer Notes { get; } = new(256);

    public InlineBytes Inline { get; }

    /// <summary>The running checksum of the payload being written: there is never more than one.</summary>
    public XxHash128 Hash { get; } = new();

    /// <summary>The record, complete but for what only the committer knows.</summary>
    public SealedRecord Record { get; } = new();

    /// <summary>What the record's metadata grows by with what was said so far, rather more than less.</summary>
    public long MetadataBytes => (long)Attributes.Length + Notes.Length + TextBytes.Length + (long)Payloads.Count * SealedRecord.MostPerPayload;

    private ByteBuffer TextBytes { get; } = new(512);

    public ReadOnlySpan<byte> Text(TextRange range) => TextBytes.Written.Slice(range.Start, range.Length);

    public TextRange AddText(ReadOnlySpan<byte> text)
    {
        var range = new TextRange(TextBytes.Length, text.Length);
        TextBytes.Append(text);
        return range;
    }

    public Payload AddPayload(PayloadKind kind, ReadOnlySpan<byte> name, ReadOnlySpan<byte> fileName, ReadOnlySpan<byte> contentType)
    {
        if (Payloads.Count > 0 && !Payloads[^1].IsComplete)
        {
            throw new InvalidOperationException("The payload before this one is not complete.");
        }

        Payload payload;
        if (_unused.Count > 0)
        {
            payload = _unused[^1];
            _unused.RemoveAt(_unused.Count - 1);
        }
        else
        {
            payload = new(this);
        }

        payload.Begin(kind, AddText(name), AddText(fileName), AddText(contentType));
        Payloads.Add(payload);
        return payload;
    }

    public void DiscardLast(Payload payload)
    {
        if (Payloads.Count == 0 || Payloads[^1] != payload)
        {
            throw new InvalidOperationException("Only the last payload can be discarded.");
        }

        payload.Drop();
        Inline.Truncate(payload.InlineStart);
        Payloads.RemoveAt(Payloads.Count - 1);
        _unused.Add(payload);
    }

    /// <summary>Takes a payload's bytes out of those that will go into the record; what lies behind them moves up.</summary>
    public void RemoveInline(Payload payload)
    {
        var at = Payloads.IndexOf(payload);
        if (at < 0)
        {
            throw new InvalidOperationException("The payload is not part of the submission any more.");
        }

        var behind = at + 1 < Payloads.Count ? Payloads[at + 1].InlineStart : Inline.Length;
        var count = behind - payload.InlineStart;
        Inline.Remove(payload.InlineStart, count);
        for (var i = at + 1; i < Payloads.Count; i++)
        {
            Payloads[i].MoveInline(-count);
        }
    }

    /// <summary>Gives all memory back, erases every file that nobody took, and returns to the pool.</summary>
    public void Recycle()
    {
        foreach (var payload in Payloads)
        {
            payload.Drop();
            if (_unused.Count < KeptPayloads)
            {
                _unused.Add(payload);
            }
        }

        Payloads.Clear();
        Inline.Clear();
        Attributes.Reset();
        Notes.Reset();
        TextBytes.Reset();
        Record.Reset();
        Pool.Return(this);
    }
}

/// <summary>A piece of a submission's text.</summary>
internal readonly record struct TextRange(int Start, int Length);
