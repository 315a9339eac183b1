using System.Buffers.Binary;
using System.Net;
using System.Text;
using FastListener.Storage.Catalog;

namespace FastListener.Storage.Packs;

/// <summary>A pack record read back: everything needed to rebuild its catalog row. Payload bytes are not part of it.</summary>
internal sealed record StoredRecord
{
    public required RecordPlace Place { get; init; }

    public required bool IsLate { get; init; }

    public required long ObjectId { get; init; }

    public required uint Random { get; init; }

    public required long ReceivedAt { get; init; }

    public required long CommittedAt { get; init; }

    /// <summary>Payload bytes that follow the metadata.</summary>
    public required long InlineLength { get; init; }

    public required int FirstIndex { get; init; }

    public required ObjectFormat Format { get; init; }

    public required byte[] Client { get; init; }

    public required string Universe { get; init; }

    public required string Project { get; init; }

    public required byte[] Table { get; init; }

    public required IReadOnlyList<StoredAttribute> Attributes { get; init; }

    public required byte[] Signature { get; init; }

    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>Whoever sent it; null in a record of version 1, which does not say.</summary>
    public string? Account { get; init; }

    public long WireBytes { get; init; }

    public Degradation Degradation { get; init; }

    public string DegradedReason { get; init; } = string.Empty;

    /// <summary>What the payload table says. Throws <see cref="InvalidDataException"/> when it cannot be read or does not fit the record.</summary>
    public List<PayloadInfo> Payloads
    {
        get
        {
            var payloads = PayloadTable.Read(Table, FirstIndex, UnixMicroseconds.ToTime(CommittedAt), Place.Pack, Place.Offset, Place.Length);
            return payloads.Sum(p => p.IsInline ? p.Size : 0) == InlineLength
                ? payloads
                : throw new InvalidDataException("A stored record's payloads are not as long as its list of them says.");
        }
    }

    public IPAddress? ClientAddress => Client.Length is 4 or 16 ? new IPAddress(Client) : null;

    /// <summary>Reads the lengths of a record header, enough to read the rest of it. Says nothing about its soundness.</summary>
    public static bool TryReadLengths(ReadOnlySpan<byte> header, out int metadata, out long inline)
    {
        metadata = 0;
        inline = 0;
        if (header.Length < PackLayout.RecordHeaderSize || BinaryPrimitives.ReadUInt32LittleEndian(header) != PackLayout.RecordMagic)
        {
            return false;
        }

        metadata = BinaryPrimitives.ReadInt32LittleEndian(header[20..]);
        inline = BinaryPrimitives.ReadInt64LittleEndian(header[32..]);
        return metadata is >= 28 and <= PackLayout.MaxMetadata && inline is >= 0 and <= int.MaxValue;
    }

    /// <summary>Checks and reads header and metadata. Throws <see cref="InvalidDataException"/> when a byte is wrong.</summary>
    public static StoredRecord Parse(ReadOnlySpan<byte> bytes, in RecordPlace place)
    {
        var view = RecordView.Parse(bytes);
        var signature = new byte[AttributeSignature.SizeFor(view.AttributeCount)];
        view.WriteSignature(signature);
        return new StoredRecord
        {
            Place = place,
            IsLate = view.IsLate,
            ObjectId = view.ObjectId,
            Random = view.Random,
            ReceivedAt = view.ReceivedAt,
            CommittedAt = view.CommittedAt,
            InlineLength = view.InlineLength,
            FirstIndex = view.FirstIndex,
            Format = view.Format,
            Client = view.Client.ToArray(),
            Universe = Encoding.UTF8.GetString(view.Universe),
            Project = Encoding.UTF8.GetString(view.Project),
            Table = view.Table.ToArray(),
            Attributes = AttributesOf(view),
            Signature = signature,
            Notes = NotesOf(view),
            Account = view.HasSender ? Encoding.UTF8.GetString(view.Account) : null,
            WireBytes = view.WireBytes,
            Degradation = view.Degradation,
            DegradedReason = Encoding.UTF8.GetString(view.DegradedReason),
        };
    }

    private static List<StoredAttribute> AttributesOf(in RecordView view)
    {
        var attributes = new List<StoredAttribute>(view.AttributeCount);
        for (var reader = view.Attributes; attributes.Count < view.AttributeCount;)
        {
            var source = (AttributeSource)reader.Byte();
            attributes.Add(new(reader.Text(), reader.Text(), source));
        }

        return attributes;
    }

    private static List<string> NotesOf(in RecordView view)
    {
        var notes = new List<string>();
        for (var reader = view.Notes; notes.Count < view.NoteCount;)
        {
            notes.Add(reader.Text());
        }

        return notes;
    }
}
