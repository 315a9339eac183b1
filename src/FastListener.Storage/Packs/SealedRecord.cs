using System.Buffers.Binary;
using FastListener.Storage.Payloads;

namespace FastListener.Storage.Packs;

/// <summary>
/// One submission as a pack record: header and metadata ready in memory, payload bytes still in their blocks. The submission's thread writes it;
/// the committer adds the id, the random word, the time and the first payload index, and the checksum over all of it.
/// </summary>
internal sealed class SealedRecord
{
    /// <summary>Where in a record the time of its commit stands.</summary>
    public const int CommittedAt = 52;

    /// <summary>Most that a payload takes in the table beside its texts: a kind, three lengths, size, checksum, and a place with the length or name in it.</summary>
    public const int MostPerPayload = 1 + (3 * Varint) + Varint + 16 + 1 + Varint + StoreLayout.FileNameLength;

    /// <summary>Most that metadata takes beside texts and payloads: fixed fields, client address, the table's length, and what stands before or instead of texts.</summary>
    public const int MostBeside = FixedSize + 16 + 4 + (10 * Varint) + 1;

    private const int Varint = 10;
    private const int KindAt = 16;
    private const int VersionAt = 17;
    private const int MetadataLengthAt = 20;
    private const int IdAt = 24;
    private const int InlineLengthAt = 32;
    private const int RandomAt = 40;
    private const int ReceivedAt = 44;
    private const int FirstIndexAt = 60;
    private const int FormatAt = 64;
    private const int ClientLengthAt = 65;
    private const int FixedSize = 68;

    private readonly ByteBuffer _bytes = new(4096);
    private readonly ByteBuffer _signature = new(128);
    private int _tableStart;
    private int _tableLength;
    private int _reasonStart;
    private int _reasonLength;

    /// <summary>Payload bytes that follow the metadata.</summary>
    public int InlineLength { get; private set; }

    /// <summary>The whole record's length in a pack.</summary>
    public int Length => _bytes.Length + InlineLength;

    public int PayloadCount { get; private set; }

    public long PayloadBytes { get; private set; }

    /// <summary>Of <see cref="PayloadBytes"/>, what is stored.</summary>
    public long KeptBytes { get; private set; }

    public long WireBytes { get; private set; }

    public Degradation Degradation { get; private set; }

    /// <summary>Why it is degraded; empty when it is not.</summary>
    public ReadOnlySpan<byte> DegradedReason => _bytes.Written.Slice(_reasonStart, _reasonLength);

    public long Received { get; private set; }

    public ReadOnlySpan<byte> Client => _bytes.Written.Slice(FixedSize, _bytes.Written[ClientLengthAt]);

    public ReadOnlySpan<byte> Table => _bytes.Written.Slice(_tableStart, _tableLength);

    public ReadOnlySpan<byte> Signature => _signature.Written;

    public void Write(Submission submission, SubmissionParts parts, ReadOnlySpan<byte> client, int notes)
    {
        var attributes = parts.Attributes.Written;
        Reset();
        Received = UnixMicroseconds.From(submission.ReceivedAt);
        var head = _bytes.Extend(FixedSize);
        head.Clear();
        head[FormatAt] = (byte)submission.Format;
        head[ClientLengthAt] = (byte)client.Length;
        BinaryPrimitives.WriteInt64LittleEndian(head[ReceivedAt..], Received);
        _bytes.Append(client);
        _bytes.AppendPrefixed(submission.Project is { } owner ? owner.UniverseUtf8 : default);
        _bytes.AppendPrefixed(submission.Project is { } project ? project.ProjectUtf8 : default);
        WriteTable(parts);
        _bytes.AppendVarint((ulong)submission.AttributeCount);
        _bytes.AppendPrefixed(attributes);
        _bytes.AppendVarint((ulong)notes);
        _bytes.AppendPrefixed(parts.Notes.Written);
        _bytes.AppendPrefixed(submission.Sender.KeyUtf8);
        WireBytes = submission.WireBytes;
        _bytes.AppendVarint((ulong)WireBytes);
        Degradation = submission.Degradation;
        _bytes.AppendByte((byte)Degradation);
        _bytes.AppendPrefixed(parts.Text(submission.DegradedReason));
        _reasonLength = submission.DegradedReason.Length;
        _reasonStart = _bytes.Length - _reasonLength;
        WriteSignature(attributes, submission.AttributeCount);
    }

    /// <summary>Copies the record into a batch and completes it there.</summary>
    public void CopyTo(Span<byte> destination, InlineBytes inline, byte kind, long id, uint random, long committedAt, int firstIndex)
    {
        var head = destination[.._bytes.Length];
        _bytes.Written.CopyTo(head);
        BinaryPrimitives.WriteUInt32LittleEndian(head, PackLayout.RecordMagic);
        head[KindAt] = kind;
        head[VersionAt] = PackLayout.RecordVersion;
        BinaryPrimitives.WriteInt32LittleEndian(head[MetadataLengthAt..], head.Length - PackLayout.RecordHeaderSize);
        BinaryPrimitives.WriteInt64LittleEndian(head[IdAt..], id);
        BinaryPrimitives.WriteInt64LittleEndian(head[InlineLengthAt..], InlineLength);
        BinaryPrimitives.WriteUInt32LittleEndian(head[RandomAt..], random);
        BinaryPrimitives.WriteInt64LittleEndian(head[CommittedAt..], committedAt);
        BinaryPrimitives.WriteInt32LittleEndian(head[FirstIndexAt..], firstIndex);
        PackLayout.Seal(head);
        inline.CopyTo(destination.Slice(head.Length, InlineLength));
    }

    public void Reset()
    {
        _bytes.Reset();
        _signature.Reset();
        (_tableStart, _tableLength, _reasonStart, _reasonLength) = (0, 0, 0, 0);
        (InlineLength, PayloadCount, PayloadBytes, KeptBytes, WireBytes, Degradation) = (0, 0, 0, 0, 0, Degradation.None);
    }

    private void WriteTable(SubmissionParts submission)
    {
        // The table's own length goes before it; four bytes keep it in one pass.
        var lengthAt = _bytes.Length;
        _bytes.AppendUInt32(0);
        _tableStart = _bytes.Length;
        _bytes.AppendVarint((ulong)submission.Payloads.Count);
        for (var kind = PayloadKind.Report; kind <= PayloadKind.Attachment; kind++)
        {
            for (var i = 0; i < submission.Payloads.Count; i++)
            {
                if (submission.Payloads[i] is var payload && payload.Kind == kind)
                {
                    WritePayload(submission, payload);
                }
            }
        }

        _tableLength = _bytes.Length - _tableStart;
        BinaryPrimitives.WriteInt32LittleEndian(_bytes.Written[lengthAt..], _tableLength);
        PayloadCount = submission.Payloads.Count;
        InlineLength = submission.Inline.Length;
    }

    private void WritePayload(SubmissionParts parts, Payload payload)
    {
        _bytes.AppendByte((byte)payload.Kind);
        _bytes.AppendPrefixed(payload.Name);
        _bytes.AppendPrefixed(payload.FileName);
        _bytes.AppendPrefixed(payload.ContentType);
        _bytes.AppendVarint((ulong)payload.Length);
        _bytes.Append(payload.Checksum);
        if (payload.IsOmitted)
        {
            _bytes.AppendByte(PayloadTable.Omitted);
            _bytes.AppendPrefixed(parts.Text(payload.OmittedReason));
            PayloadBytes += payload.Length;
            return;
        }

        if (payload.File is { } file)
        {
            _bytes.AppendByte(PayloadTable.InFile);
            _bytes.AppendVarint((ulong)file.Name.Length);
            System.Text.Encoding.ASCII.GetBytes(file.Name, _bytes.Extend(file.Name.Length));
        }
        else
        {
            _bytes.AppendByte(PayloadTable.Inline);
            _bytes.AppendVarint((ulong)payload.InlineStart);
        }

        PayloadBytes += payload.Length;
        KeptBytes += payload.Length;
    }

    private void WriteSignature(ReadOnlySpan<byte> attributes, int count)
    {
        var signature = _signature.Extend(AttributeSignature.SizeFor(count));
        signature.Clear();
        for (var reader = new SpanReader(attributes); !reader.IsAtEnd;)
        {
            reader.Byte();
            AttributeSignature.Add(signature, AttributeSignature.HashOf(reader.Prefixed(), reader.Prefixed()));
        }
    }
}
