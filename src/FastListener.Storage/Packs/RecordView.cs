namespace FastListener.Storage.Packs;

/// <summary>A pack record's header and metadata where they lie: nothing is copied, so it lives as long as the bytes. <see cref="StoredRecord"/> keeps them.</summary>
internal ref struct RecordView
{
    private const string ImpossibleNumber = "A stored record holds a number that the store cannot have written.";

    private ReadOnlySpan<byte> _attributes;
    private ReadOnlySpan<byte> _notes;

    public bool IsLate { get; private set; }

    public long ObjectId { get; private set; }

    public uint Random { get; private set; }

    public long ReceivedAt { get; private set; }

    public long CommittedAt { get; private set; }

    public long InlineLength { get; private set; }

    public int FirstIndex { get; private set; }

    public ObjectFormat Format { get; private set; }

    public ReadOnlySpan<byte> Client { get; private set; }

    public ReadOnlySpan<byte> Universe { get; private set; }

    public ReadOnlySpan<byte> Project { get; private set; }

    public ReadOnlySpan<byte> Table { get; private set; }

    public int AttributeCount { get; private set; }

    public int NoteCount { get; private set; }

    /// <summary>False for a record of version 1, which does not say who sent it.</summary>
    public bool HasSender { get; private set; }

    public ReadOnlySpan<byte> Account { get; private set; }

    public long WireBytes { get; private set; }

    public Degradation Degradation { get; private set; }

    public ReadOnlySpan<byte> DegradedReason { get; private set; }

    /// <summary>The attributes, one after the other: a source, a name, a value.</summary>
    public readonly SpanReader Attributes => new(_attributes);

    /// <summary>The notes, one text after the other.</summary>
    public readonly SpanReader Notes => new(_notes);

    /// <summary>Checks and reads header and metadata. Throws <see cref="InvalidDataException"/> when a byte is wrong.</summary>
    public static RecordView Parse(ReadOnlySpan<byte> bytes)
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
        var view = new RecordView
        {
            IsLate = kind == PackLayout.LateAttachmentRecord,
            HasSender = version >= 2,
            ObjectId = reader.Int64(),
            InlineLength = reader.Int64(),
            Random = reader.UInt32(),
            ReceivedAt = reader.Int64(),
            CommittedAt = reader.Int64(),
        };
        var firstIndex = reader.UInt32();
        view.Format = (ObjectFormat)reader.Byte();
        var clientLength = reader.Byte();
        reader.Take(2);
        if (view.ObjectId is <= 0 or > PackLayout.MaxObjectId || firstIndex > PackLayout.MaxPayloadIndex || clientLength is not (0 or 4 or 16)
            || !UnixMicroseconds.IsTime(view.ReceivedAt) || !UnixMicroseconds.IsTime(view.CommittedAt))
        {
            throw new InvalidDataException(ImpossibleNumber);
        }

        view.FirstIndex = (int)firstIndex;
        view.Client = reader.Take(clientLength);
        view.Universe = reader.Prefixed();
        view.Project = reader.Prefixed();
        view.Table = reader.Take((int)reader.UInt32());
        view.AttributeCount = reader.Count();
        view._attributes = reader.Prefixed();
        view.CheckAttributes();
        view.NoteCount = reader.Count();
        view._notes = reader.Prefixed();
        view.CheckNotes();
        if (view.HasSender)
        {
            view.Account = reader.Prefixed();
            view.WireBytes = (long)reader.Varint();
            view.Degradation = (Degradation)reader.Byte();
        }

        if (view.WireBytes < 0 || view.Degradation > Degradation.MetadataOnly)
        {
            throw new InvalidDataException(ImpossibleNumber);
        }

        view.DegradedReason = view.HasSender ? reader.Prefixed() : default;
        return view;
    }

    /// <summary>Writes the attributes' signature into <see cref="AttributeSignature.SizeFor"/> bytes.</summary>
    public readonly void WriteSignature(Span<byte> signature)
    {
        signature.Clear();
        var reader = Attributes;
        for (var i = 0; i < AttributeCount; i++)
        {
            reader.Byte();
            AttributeSignature.Add(signature, AttributeSignature.HashOf(reader.Prefixed(), reader.Prefixed()));
        }
    }

    private readonly void CheckAttributes()
    {
        if (AttributeCount > _attributes.Length)
        {
            throw new InvalidDataException("A stored record counts more attributes than it holds.");
        }

        var reader = Attributes;
        for (var i = 0; i < AttributeCount; i++)
        {
            reader.Byte();
            reader.Prefixed();
            reader.Prefixed();
        }
    }

    private readonly void CheckNotes()
    {
        var reader = Notes;
        for (var i = 0; i < NoteCount; i++)
        {
            reader.Prefixed();
        }
    }
}
