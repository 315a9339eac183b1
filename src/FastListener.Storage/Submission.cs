using System.Net;

namespace FastListener.Storage;

/// <summary>
/// One submission on its way into the store: attributes, notes and payloads, in the order they arrive. Used by one thread at a time, from
/// <see cref="ObjectStore.Begin"/> to <see cref="ObjectStore.CommitAsync"/> or <see cref="Dispose"/>; after either it must not be touched again.
/// </summary>
public sealed class Submission : IDisposable
{
    internal Submission()
    {
    }

    /// <summary>The project the object will belong to. Must be set before the commit.</summary>
    public ProjectKey? Project { get; set; }

    /// <summary>What the report is.</summary>
    public ObjectFormat Format { get; set; }

    /// <summary>When the submission began to arrive; set by <see cref="ObjectStore.Begin"/>, may be changed. Stored to the microsecond.</summary>
    public DateTimeOffset ReceivedAt { get; set; }

    /// <summary>0 for a new object; else the id (see <see cref="ObjectStore.TryResolve"/>) of the object that this submission's payloads are added to.</summary>
    public long FollowUpOf { get; set; }

    /// <summary>Who sent it.</summary>
    public void SetClientAddress(IPAddress address) => throw new NotSupportedException(address.ToString());

    /// <summary>Bytes of attribute names and values and of notes so far. The caller keeps them within <see cref="StoreOptions.MaxAttributeBytes"/>.</summary>
    public int AttributeBytes => 0;

    /// <summary>Attributes added so far.</summary>
    public int AttributeCount => 0;

    /// <summary>Adds an attribute (UTF-8, copied). Order and repeats are kept.</summary>
    public void AddAttribute(AttributeSource source, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => throw new NotSupportedException(source.ToString() + name.Length + value.Length);

    /// <summary>Adds a note about what the server noticed (UTF-8, copied).</summary>
    public void AddNote(ReadOnlySpan<byte> note) => throw new NotSupportedException(note.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>
    /// Begins the next payload; the spans (UTF-8) are copied. The one before must be completed or discarded: payloads are written one after the other.
    /// </summary>
    public Payload AddPayload(PayloadKind kind, ReadOnlySpan<byte> name, ReadOnlySpan<byte> fileName, ReadOnlySpan<byte> contentType) =>
        throw new NotSupportedException(kind.ToString() + name.Length + fileName.Length + contentType.Length);

    /// <summary>Payloads so far, in order. The report need not be the first: it becomes index 0 all the same.</summary>
    public IReadOnlyList<Payload> Payloads => [];

    /// <summary>Gives all memory back and erases every file it wrote.</summary>
    public void Dispose() => GC.SuppressFinalize(this);
}
