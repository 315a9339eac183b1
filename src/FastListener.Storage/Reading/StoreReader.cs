using System.Text;
using FastListener.Storage.Catalog;
using FastListener.Storage.Packs;
using FastListener.Storage.Reading;

namespace FastListener.Storage;

/// <summary>
/// Reads a data directory, also while a server writes to it: every call uses short read transactions and sees what was committed
/// when it began. Not thread-safe; open one per thread.
/// </summary>
public sealed class StoreReader : IDisposable
{
    private readonly StoreLayout _layout;
    private readonly CatalogAccess _access;
    private readonly CatalogReader _catalog;
    private readonly PackReader _packs;

    private StoreReader(StoreLayout layout, CatalogAccess access)
    {
        _layout = layout;
        _access = access;
        _catalog = CatalogReader.Open(layout.Catalog, access.Connection);
        _packs = new(layout);
    }

    internal CatalogReader Catalog => _catalog;

    internal PackReader Packs => _packs;

    /// <summary>Opens a data directory for reading. Throws <see cref="StoreUnusableException"/> when there is no store in it or it cannot be read.</summary>
    public static StoreReader Open(string dataDirectory)
    {
        var layout = new StoreLayout(dataDirectory);
        layout.RequireCatalog();
        try
        {
            var access = CatalogAccess.Open(layout);
            try
            {
                return new(layout, access);
            }
            catch
            {
                access.Dispose();
                throw;
            }
        }
        catch (CatalogDamagedException damage)
        {
            throw new StoreUnusableException($"{damage.Message}. Salvage can rebuild the catalog.", damage);
        }
    }

    /// <summary>Objects, newest first.</summary>
    public IEnumerable<ObjectSummary> List(ObjectQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return Matching(query).Select(Summary);
    }

    /// <summary>The same objects with all there is to know about each: that reads its record.</summary>
    public IEnumerable<ObjectDetails> ListDetails(ObjectQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return Matching(query).Select(Details);
    }

    /// <summary>The object that all of the reference fits, whatever its project; null when there is none.</summary>
    public ObjectDetails? Find(ObjectReference reference) =>
        _catalog.TryResolve(reference, out var id, out _) && _catalog.ById(id) is { } row ? Details(row) : null;

    /// <summary>Every object with its details, oldest id first.</summary>
    public IEnumerable<ObjectDetails> All() => _catalog.All().Select(Details);

    /// <summary>
    /// A payload's bytes, from the first to the last. The stream can seek; the caller disposes it. Checksums are not checked on this path.
    /// Throws <see cref="PayloadNotKeptException"/> for one that <see cref="PayloadInfo.IsOmitted"/>.
    /// </summary>
    public Stream OpenPayload(PayloadInfo payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        if (payload.OmittedReason is { } reason)
        {
            throw new PayloadNotKeptException(reason);
        }

        return payload.File is { } file
            ? new FileStream(_layout.File(file), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0)
            : new PackSlice(_layout.Pack(payload.Pack), payload.Offset, payload.Size);
    }

    /// <summary>Closes the catalog and the packs.</summary>
    public void Dispose()
    {
        _catalog.Dispose();
        _access.Dispose();
        _packs.Dispose();
    }

    internal ObjectDetails Details(CatalogRow row)
    {
        string? damage = null;
        var record = TryRead(row.Numbers.Place, ref damage);
        List<PayloadInfo> payloads;
        try
        {
            payloads = Payloads(row);
        }
        catch (InvalidDataException exception)
        {
            payloads = PayloadsOf(record, exception, ref damage);
        }

        foreach (var late in _catalog.LateAttachments(row.Numbers.Id))
        {
            try
            {
                payloads.AddRange(Payloads(late));
            }
            catch (InvalidDataException exception)
            {
                payloads.AddRange(PayloadsOf(TryRead(late.Place, ref damage), exception, ref damage));
            }
        }

        return new ObjectDetails(Summary(row))
        {
            Attributes = record?.Attributes ?? [],
            Notes = record?.Notes ?? [],
            Payloads = payloads,
            Damage = damage,
        };
    }

    internal static List<PayloadInfo> Payloads(CatalogRow row) => PayloadTable.Read(
        row.Table, 0, UnixMicroseconds.ToTime(row.Numbers.CommittedAt), row.Numbers.Place.Pack, row.Numbers.Place.Offset, row.Numbers.Place.Length);

    internal static List<PayloadInfo> Payloads(LateRow row) => PayloadTable.Read(
        row.Table, row.FirstIndex, UnixMicroseconds.ToTime(row.CommittedAt), row.Place.Pack, row.Place.Offset, row.Place.Length);

    private StoredRecord? TryRead(in RecordPlace place, ref string? damage)
    {
        try
        {
            return _packs.Read(place);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            damage ??= exception.Message;
            return null;
        }
    }

    /// <summary>What a record says of its payloads, after the row that should say the same could not be read.</summary>
    private static List<PayloadInfo> PayloadsOf(StoredRecord? record, InvalidDataException ofRow, ref string? damage)
    {
        damage ??= "The catalog's list of payloads cannot be read: " + ofRow.Message;
        try
        {
            return record?.Payloads ?? [];
        }
        catch (InvalidDataException)
        {
            return [];
        }
    }

    private IEnumerable<CatalogRow> Matching(ObjectQuery query)
    {
        var projects = _catalog.AllProjects();
        var wanted = query.Attributes.Select(a => AttributeSignature.HashOf(Encoding.UTF8.GetBytes(a.Key), Encoding.UTF8.GetBytes(a.Value))).ToArray();
        var since = query.Since is { } time ? UnixMicroseconds.From(time) : long.MinValue;
        var found = 0;
        foreach (var (id, projectId) in found < query.Limit ? _catalog.NewestFirst(since) : [])
        {
            if (!projects.TryGetValue(projectId, out var names))
            {
                projects = _catalog.AllProjects(); // it is newer than our list
                projects.TryGetValue(projectId, out names);
            }

            if ((query.Universe is { } universe && universe != names.Universe)
                || (query.Project is { } project && project != names.Project)
                || _catalog.ById(id) is not { } row
                || !Array.TrueForAll(wanted, hash => AttributeSignature.MayContain(row.Signature, hash))
                || (wanted.Length > 0 && !HasAttributes(row, query.Attributes)))
            {
                continue;
            }

            yield return row;
            if (++found >= query.Limit)
            {
                yield break;
            }
        }
    }

    private ObjectSummary Summary(CatalogRow row)
    {
        var names = _catalog.ProjectNames(row.Numbers.ProjectId);
        return new ObjectSummary
        {
            Id = row.Numbers.Id,
            Random = row.Numbers.Random,
            Universe = names.Universe,
            Project = names.Project,
            Format = (ObjectFormat)row.Numbers.Format,
            ReceivedAt = UnixMicroseconds.ToTime(row.Numbers.ReceivedAt),
            CommittedAt = UnixMicroseconds.ToTime(row.Numbers.CommittedAt),
            ClientAddress = row.ClientAddress,
            PayloadCount = row.Numbers.PayloadCount,
            PayloadBytes = row.Numbers.PayloadBytes,
            Unconfirmed = row.Unconfirmed,
            Account = _catalog.AccountKey(row.Charge.AccountId),
            WireBytes = row.Charge.WireBytes,
            Degradation = row.Degradation,
            DegradedReason = row.DegradedReason,
        };
    }

    /// <summary>The signature says maybe; the record says yes or no. A record that cannot be read does not match: verification reports it.</summary>
    private bool HasAttributes(CatalogRow row, IReadOnlyList<KeyValuePair<string, string>> wanted)
    {
        try
        {
            var effective = StoredAttribute.Effective(_packs.Read(row.Numbers.Place).Attributes);
            return wanted.All(effective.Contains);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            return false;
        }
    }
}
