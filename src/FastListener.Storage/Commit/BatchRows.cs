using FastListener.Storage.Catalog;
using FastListener.Storage.Packs;

namespace FastListener.Storage.Commit;

/// <summary>
/// The rows of a batch, put into the open transaction, and the numbers and payload indexes that they take; these count only when the transaction is
/// durable. The committer's thread only.
/// </summary>
internal sealed class BatchRows
{
    /// <summary>In place of a payload index: there is no such object.</summary>
    public const int NoObject = -1;

    /// <summary>In place of a payload index: the object would have too many.</summary>
    public const int NoRoom = -2;

    private readonly CatalogNumbers _numbers = new();
    private readonly Dictionary<long, int> _nextIndexes = [];

    /// <summary>
    /// The first of so many payload indexes of an object; <see cref="NoObject"/> when it does not exist, <see cref="NoRoom"/> when it would have more
    /// than <paramref name="most"/> (0: any number).
    /// </summary>
    public int TakePayloadIndexes(CatalogWriter catalog, long objectId, int count, int most)
    {
        if (!_nextIndexes.TryGetValue(objectId, out var next))
        {
            next = catalog.PayloadsOf(objectId);
        }

        if (next < 0 || (most != 0 && next + count > most))
        {
            return next < 0 ? NoObject : NoRoom;
        }

        _nextIndexes[objectId] = next + count;
        return next;
    }

    /// <summary>Inserts what the catalog keeps of a submission whose record lies at <paramref name="place"/>.</summary>
    public void Add(CatalogWriter catalog, in BatchEntry entry, in RecordPlace place, long now)
    {
        var record = entry.Submission.Parts.Record;
        var charge = new Charge(_numbers.Of(entry.Submission.Sender, catalog), record.WireBytes, record.KeptBytes);
        var flags = ObjectRow.FlagOf(record.Degradation);
        if (entry.IsLate)
        {
            catalog.AddAttachment(entry.Id, entry.FirstIndex, record.PayloadCount, flags, now, place, charge, record.Table, record.DegradedReason);
        }
        else
        {
            var row = new ObjectRow(
                entry.Id, entry.Random, _numbers.Of(entry.Submission.Project!, catalog), (byte)entry.Submission.Format, flags, record.Received, now, place,
                record.PayloadCount, record.PayloadBytes);
            catalog.AddObject(row, charge, record.Client, record.Table, record.Signature, record.DegradedReason);
        }

        foreach (var payload in entry.Submission.Parts.Payloads)
        {
            if (payload.File is { } file)
            {
                catalog.AddFile(file.Name, entry.Id, payload.Length);
            }
        }
    }

    /// <summary>The account's number, given in the open transaction when it has none.</summary>
    public int NumberOf(Account account, CatalogWriter catalog) => _numbers.Of(account, catalog);

    /// <summary>The transaction is durable.</summary>
    public void Confirm() => _numbers.Confirm();

    /// <summary>The transaction is over, whatever became of it.</summary>
    public void Forget()
    {
        _numbers.Forget();
        _nextIndexes.Clear();
    }
}
