using System.Net;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;
using FastListener.Storage.Commit;
using FastListener.Storage.Packs;
using FastListener.Storage.Payloads;

namespace FastListener.Storage;

/// <summary>
/// One submission on its way into the store: attributes, notes and payloads, in the order they arrive. Used by one thread at a time, from
/// <see cref="ObjectStore.Begin"/> to <see cref="ObjectStore.CommitAsync"/> or <see cref="Dispose"/>; after either its payloads must not be touched.
/// </summary>
public sealed class Submission : IDisposable, IValueTaskSource<Receipt>
{
    /// <summary>Longest <see cref="Account"/>, in characters.</summary>
    public const int MaxAccountLength = 128;

    /// <summary>Bytes of all notes together; one that has no room any more is left out.</summary>
    public const int MaxNoteBytes = 4096;

    private ManualResetValueTaskSourceCore<Receipt> _receipt = new() { RunContinuationsAsynchronously = true };
    private SubmissionParts? _parts;
    private ClientAddress _client;
    private int _clientLength;
    private int _noteCount;
    private int _noteBytes;
    private bool _handedOver;

    internal Submission(SubmissionParts parts, DateTimeOffset receivedAt)
    {
        _parts = parts;
        ReceivedAt = receivedAt;
        Sender = parts.Pool.Nobody;
    }

    /// <summary>The project the object will belong to. Must be set before the commit.</summary>
    public ProjectKey? Project { get; set; }

    /// <summary>What the report is.</summary>
    public ObjectFormat Format { get; set; }

    /// <summary>When the submission began to arrive; set by <see cref="ObjectStore.Begin"/>, may be changed. Stored to the microsecond.</summary>
    public DateTimeOffset ReceivedAt { get; set; }

    /// <summary>0 for a new object; else the id (see <see cref="ObjectStore.TryResolve"/>) of the object that this submission's payloads are added to.</summary>
    public long FollowUpOf { get; set; }

    /// <summary>For a late attachment: how many payloads the object may have with this one, its report included; 0 is unlimited. Judged at the commit.</summary>
    public int MaxPayloadsOfObject { get; set; }

    /// <summary>
    /// Whoever sent it, as a short key that means nothing to the store: batches are shared fairly among accounts, and the object keeps it.
    /// Empty when nobody said. At most <see cref="MaxAccountLength"/> characters.
    /// </summary>
    public string Account
    {
        get => Sender.Key;
        set => Sender = Parts.Pool.Accounts.Get(value);
    }

    /// <summary>Its entry in the ledger, which is booked with it; null: nobody has received it, and an audit says so.</summary>
    public LedgerEntry? Entry { get; set; }

    /// <summary>Bytes that were received for it, framing and compression as they came. Kept with the object.</summary>
    public long WireBytes { get; set; }

    /// <summary>What of it was given up. Never less than what <see cref="Payload.Omit"/> has done to its payloads by the time of the commit.</summary>
    public Degradation Degradation { get; private set; }

    /// <summary>Bytes of attribute names and values so far. The caller keeps them within <see cref="StoreOptions.MaxAttributeBytes"/>.</summary>
    public int AttributeBytes { get; private set; }

    /// <summary>
    /// What its record will take beside the payloads' bytes, rather more than less: attributes, notes, and the names of what it holds. No record has more
    /// than <see cref="StoreOptions.MaxMetadataBytes"/>; who looks at it as names arrive can say no early.
    /// </summary>
    public long MetadataBytes => SealedRecord.MostBeside + Parts.MetadataBytes + DegradedReason.Length
        + Sender.KeyUtf8.Length + (Project is { } project ? project.UniverseUtf8.Length + project.ProjectUtf8.Length : 0);

    /// <summary>Attributes added so far.</summary>
    public int AttributeCount { get; private set; }

    /// <summary>Payloads so far, in order of arrival. Whatever the order, the report becomes index 0 of the object.</summary>
    public IReadOnlyList<Payload> Payloads => Parts.Payloads;

    internal Account Sender { get; private set; }

    /// <summary>The one behind it in its account's lane. The committer's alone.</summary>
    internal Submission? NextInLane { get; set; }

    internal TextRange DegradedReason { get; private set; }

    internal SubmissionParts Parts => _parts ?? throw new ObjectDisposedException(nameof(Submission));

    /// <summary>Who sent it.</summary>
    public void SetClientAddress(IPAddress address)
    {
        Span<byte> bytes = _client;
        address.TryWriteBytes(bytes, out _clientLength);
        if (address.IsIPv4MappedToIPv6)
        {
            bytes[12..].CopyTo(bytes);
            _clientLength = 4;
        }
    }

    /// <summary>Adds an attribute (UTF-8, copied). Order and repeats are kept.</summary>
    public void AddAttribute(AttributeSource source, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var attributes = Parts.Attributes;
        attributes.AppendByte((byte)source);
        attributes.AppendPrefixed(name);
        attributes.AppendPrefixed(value);
        AttributeBytes += name.Length + value.Length;
        AttributeCount++;
    }

    /// <summary>Adds a note about what the server noticed (UTF-8, copied). What was noticed a thousand times is noted once.</summary>
    public void AddNote(ReadOnlySpan<byte> note)
    {
        if (_noteBytes + note.Length > MaxNoteBytes || IsNoted(note))
        {
            return;
        }

        Parts.Notes.AppendPrefixed(note);
        _noteBytes += note.Length;
        _noteCount++;
    }

    /// <summary>
    /// Marks it as degraded, for good: the object's row and record say so, with the reason (UTF-8, copied). What it gives up is the caller's to
    /// omit (<see cref="Payload.Omit"/>). Said twice, the level that gives up more counts, with its reason.
    /// </summary>
    public void Degrade(Degradation level, ReadOnlySpan<byte> reason)
    {
        if (level > Degradation)
        {
            (Degradation, DegradedReason) = (level, Parts.AddText(reason));
        }
    }

    /// <summary>
    /// Begins the next payload; the spans (UTF-8) are copied. The one before must be completed or discarded: payloads are written one after the other.
    /// </summary>
    public Payload AddPayload(PayloadKind kind, ReadOnlySpan<byte> name, ReadOnlySpan<byte> fileName, ReadOnlySpan<byte> contentType) =>
        Parts.AddPayload(kind, name, fileName, contentType);

    /// <summary>Gives all memory back and erases every file it wrote. Does nothing after a commit or a second time.</summary>
    public void Dispose()
    {
        if (!_handedOver)
        {
            Recycle();
        }
    }

    /// <summary>Writes the record on the caller's thread, so that the committer has little left to do; from here on the store owns it.</summary>
    internal ValueTask<Receipt> HandOver()
    {
        var parts = Parts;
        if (_handedOver)
        {
            throw new InvalidOperationException("The submission was committed before.");
        }

        if (Project is null && FollowUpOf == 0)
        {
            throw new InvalidOperationException("A submission needs a project.");
        }

        if (FollowUpOf != 0 && parts.Payloads.Count == 0)
        {
            throw new InvalidOperationException("A late attachment needs a payload.");
        }

        if (parts.Payloads.Count > 0 && !parts.Payloads[^1].IsComplete)
        {
            throw new InvalidOperationException("The last payload is not complete.");
        }

        MarkOmissions(parts);
        if (MetadataBytes is var metadata and > StoreOptions.MaxMetadataBytes)
        {
            Recycle(); // it is ours, whatever happens
            throw new StorageFaultException(
                StorageFaultKind.TooMuchMetadata, $"The submission has about {metadata} bytes of metadata; no record has more than {StoreOptions.MaxMetadataBytes}.");
        }

        if (FollowUpOf != 0) // no reader takes an index beyond that
        {
            MaxPayloadsOfObject = MaxPayloadsOfObject == 0 ? PackLayout.MaxPayloadIndex : Math.Min(MaxPayloadsOfObject, PackLayout.MaxPayloadIndex);
        }

        ReadOnlySpan<byte> client = _client;
        parts.Record.Write(this, parts, client[.._clientLength], _noteCount);
        _handedOver = true;
        return new(this, _receipt.Version);
    }

    /// <summary>Ends the wait: it is durable. Its parts return to the pool. <paramref name="here"/>: what waits goes on on this thread.</summary>
    internal void Complete(in Receipt receipt, bool here)
    {
        foreach (var payload in Parts.Payloads)
        {
            payload.TakeFile(); // an object names it now
        }

        Recycle();
        _receipt.RunContinuationsAsynchronously = !here;
        _receipt.SetResult(receipt);
    }

    /// <summary>Ends the wait: it was not stored. What it wrote is erased, but for files that were taken from it.</summary>
    internal void Fail(Exception fault)
    {
        try
        {
            Recycle();
            Entry?.GiveBack();
        }
        finally
        {
            _receipt.SetException(fault); // nobody must wait for ever
        }
    }

    Receipt IValueTaskSource<Receipt>.GetResult(short token) => _receipt.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<Receipt>.GetStatus(short token) => _receipt.GetStatus(token);

    void IValueTaskSource<Receipt>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _receipt.OnCompleted(continuation, state, token, flags);

    /// <summary>A payload that was omitted makes a degraded object, whether anybody said so or not.</summary>
    private void MarkOmissions(SubmissionParts parts)
    {
        foreach (var payload in parts.Payloads)
        {
            var level = !payload.IsOmitted ? Degradation.None
                : payload.Kind == PayloadKind.Report ? Degradation.MetadataOnly
                : Degradation.WithoutAttachments;
            if (level > Degradation)
            {
                (Degradation, DegradedReason) = (level, payload.OmittedReason);
            }
        }
    }

    private bool IsNoted(ReadOnlySpan<byte> note)
    {
        for (var notes = new SpanReader(Parts.Notes.Written); !notes.IsAtEnd;)
        {
            if (notes.Prefixed().SequenceEqual(note))
            {
                return true;
            }
        }

        return false;
    }

    private void Recycle()
    {
        var parts = _parts;
        _parts = null;
        parts?.Recycle();
    }

    [System.Runtime.CompilerServices.InlineArray(16)]
    [StructLayout(LayoutKind.Sequential)]
    private struct ClientAddress
    {
        private byte _first;
    }
}
