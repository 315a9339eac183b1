using System.Buffers.Binary;
using System.Net;
using FastListener.Storage.Catalog;

namespace FastListener.Storage.Packs;

/// <summary>A pack record read back: everything needed to rebuild its catalog row. Payload bytes are not part of it.</summary>
internal sealed record StoredRecord
{
    private const string ImpossibleNumber = "A stored record holds a number that the store cannot have written.";

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
        if (!PackLayout.IsSealed(bytes))
        {
            throw new InvalidDataException("The record's checksum does not fit.");
        }

        var reader = new SpanReader(bytes[16..]);
        var kind = reader.Byte();
        var version = reader.Byte();
        if (kind is not (PackLayout.ObjectRecord or PackLayout.LateAttachmentRecord) || version is < PackLayout.OldestRecordVersion or > PackLayout.RecordVersion)
        {
            throw new InvalidDataException($"A record of kind {kind}, version {version} is unknown to this program.");
        }

        reader.Take(6); // flags, metadata length
        var id = reader.Int64();
        var inlineLength = reader.Int64();
        var random = reader.UInt32();
        var received = reader.Int64();
        var committed = reader.Int64();
        var firstIndex = reader.UInt32();
        var format = (ObjectFormat)reader.Byte();
        var clientLength = reader.Byte();
        reader.Take(2);
        if (id is <= 0 or > PackLayout.MaxObjectId || firstIndex > PackLayout.MaxPayloadIndex || clientLength is not (0 or 4 or 16)
            || !UnixMicroseconds.IsTime(received) || !UnixMicroseconds.IsTime(committed))
        {
            throw new InvalidDataException(ImpossibleNumber);
        }

        var client = reader.Take(clientLength).ToArray();
        var universe = reader.Text();
        var project = reader.Text();
        var table = reader.Take((int)reader.UInt32()).ToArray();
        var attributeCount = reader.Count();
        var attributes = ReadAttributes(reader.Prefixed(), attributeCount, out var signature);
        var noteCount = reader.Count();
        var notes = new List<string>();
        for (var rest = new SpanReader(reader.Prefixed()); notes.Count < noteCount;)
        {
            notes.Add(rest.Text());
        }

        var hasSender = version >= 2;
        var account = hasSender ? reader.Text() : null;
        var wireBytes = hasSender ? (long)reader.Varint() : 0;
        var degradation = hasSender ? (Degradation)reader.Byte() : Degradation.None;
        if (wireBytes < 0 || degradation > Degradation.MetadataOnly)
        {
            throw new InvalidDataException(ImpossibleNumber);
        }

        return new StoredRecord
        {
            Place = place,
            IsLate = kind == PackLayout.LateAttachmentRecord,
            ObjectId = id,
            Random = random,
            ReceivedAt = received,
            CommittedAt = committed,
            InlineLength = inlineLength,
            FirstIndex = (int)firstIndex,
            Format = format,
            Client = client,
            Universe = universe,
            Project = project,
            Table = table,
            Attributes = attributes,
            Signature = signature,
            Notes = notes,
            Account = account,
            WireBytes = wireBytes,
            Degradation = degradation,
            DegradedReason = hasSender ? reader.Text() : string.Empty,
        };
    }

    private static List<StoredAttribute> ReadAttributes(ReadOnlySpan<byte> bytes, int count, out byte[] signature)
    {
        if (count > bytes.Length)
        {
            throw new InvalidDataException("A stored record counts more attributes than it holds.");
        }

        var attributes = new List<StoredAttribute>(count);
        signature = new byte[AttributeSignature.SizeFor(count)];
        var reader = new SpanReader(bytes);
        while (attributes.Count < count)
        {
            var source = (AttributeSource)reader.Byte();
            var name = reader.Prefixed();
            var value = reader.Prefixed();
            AttributeSignature.Add(signature, AttributeSignature.HashOf(name, value));
            attributes.Add(new(System.Text.Encoding.UTF8.GetString(name), System.Text.Encoding.UTF8.GetString(value), source));
        }

        return attributes;
    }
}
