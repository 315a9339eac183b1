using System.Buffers.Binary;
using System.Globalization;
using FastListener.Storage.Catalog;

namespace FastListener.Storage.Packs;

/// <summary>Reads a pack's records where they should be, and looks for them where damage hides where they begin.</summary>
/// <param name="file">The pack.</param>
/// <param name="pack">Its id.</param>
/// <param name="skip">Takes each place where a record should be and none is sound, and what is wrong there.</param>
internal sealed class RecordFinder(LenientFile file, long pack, Action<long, string> skip)
{
    private const int BlockBytes = 64 * 1024;
    private const int HeadBytes = SealedRecord.CommittedAt + sizeof(long);
    private const int MagicBytes = sizeof(uint);

    private const string Unreadable = "The record cannot be read.";

    private readonly byte[] _block = new byte[BlockBytes];

    // What may be read to check what looks like a record: senders can fill their dumps with heads that claim megabytes each.
    private long _bytesToCheck = 16 * file.Length + PackLayout.MaxMetadata;

    /// <summary>Highest object id met in <see cref="ReadChain"/> and <see cref="ReadAround"/>.</summary>
    public long HighestId { get; private set; }

    /// <summary>The record that begins at a place and ends before the limit; null when there is none whose header and metadata are sound.</summary>
    /// <param name="at">The place.</param>
    /// <param name="limit">Where it must have ended.</param>
    /// <param name="length">How long it is by what its header says; 0 when that cannot be.</param>
    /// <param name="problem">What is wrong when there is none.</param>
    public StoredRecord? Read(long at, long limit, out long length, out string problem)
    {
        length = 0;
        Span<byte> header = stackalloc byte[PackLayout.RecordHeaderSize];
        if (file.Read(header, at) < header.Length || !StoredRecord.TryReadLengths(header, out var metadata, out var inline))
        {
            problem = file.HasFailed ? Unreadable : "No record begins here.";
            return null;
        }

        var claimed = PackLayout.RecordHeaderSize + metadata + inline;
        if (claimed > limit - at)
        {
            problem = "The record is longer than its place.";
            return null;
        }

        length = claimed;
        problem = string.Empty;
        var bytes = new byte[PackLayout.RecordHeaderSize + metadata];
        if (file.Read(bytes, at) < bytes.Length)
        {
            problem = Unreadable;
            return null;
        }

        try
        {
            var record = StoredRecord.Parse(bytes, new RecordPlace(pack, at, length));
            _ = record.Payloads; // throws when the table cannot be read
            return record;
        }
        catch (InvalidDataException exception)
        {
            problem = exception.Message;
            return null;
        }
    }

    /// <summary>
    /// The first sound record between two places that was committed at that time. What looks like a record may stand in a payload because its sender put
    /// it there, checksums and all; but the time of the commit, to the microsecond, nobody knows before all bytes have arrived.
    /// </summary>
    /// <param name="from">Where to begin.</param>
    /// <param name="limit">Where it must have ended.</param>
    /// <param name="committedAt">The time of its batch's other records; 0 when nothing tells it, and then nothing proves what is found.</param>
    public StoredRecord? Search(long from, long limit, long committedAt)
    {
        Span<byte> magic = stackalloc byte[MagicBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(magic, PackLayout.RecordMagic);
        while (from < limit)
        {
            var read = file.Read(_block.AsSpan(0, (int)Math.Min(BlockBytes, limit - from)), from);
            var hasFailed = file.HasFailed;
            var block = _block.AsSpan(0, read);
            for (int at = 0, next; (next = block[at..].IndexOf(magic)) >= 0; at++)
            {
                at += next;
                if (IsWorthReading(from + at, committedAt) && Read(from + at, limit, out _, out _) is { } record)
                {
                    return record;
                }
            }

            if (read == 0 && !hasFailed)
            {
                return null; // the file ends before the limit
            }

            from = hasFailed ? file.AfterFailure(from + read, limit) : from + Math.Max(1, read - MagicBytes + 1);
        }

        return null;
    }

    /// <summary>Records one after the other, as far as they are sound.</summary>
    public List<StoredRecord> ReadChain(long at, int count, long limit, out long end)
    {
        var records = new List<StoredRecord>();
        for (end = at; records.Count < count && Read(end, limit, out var length, out _) is { } record; end += length)
        {
            HighestId = Math.Max(HighestId, record.ObjectId);
            records.Add(record);
        }

        return records;
    }

    /// <summary>Records one after the other, and around what is damaged of them: on where a damaged one's length says, else where the next one is found.</summary>
    /// <param name="at">Where the first one begins.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="limit">Where they have ended.</param>
    /// <param name="committedAt">When they were committed; what the first one says goes before it.</param>
    /// <param name="end">Where the last one ends.</param>
    /// <param name="damaged">Places without a sound record, each of which got its line.</param>
    public List<StoredRecord> ReadAround(long at, int count, long limit, long committedAt, out long end, out int damaged)
    {
        var records = new List<StoredRecord>();
        damaged = 0;
        end = at;
        while (records.Count + damaged < count)
        {
            if (Read(at, limit, out var length, out var problem) is { } record)
            {
                HighestId = Math.Max(HighestId, record.ObjectId);
                records.Add(record);
                end = at += length;
                continue;
            }

            if (at >= limit || file.IsZero(at, limit))
            {
                break;
            }

            damaged++;
            var next = at + length;
            if (records.Count + damaged < count && (length == 0 || Read(next, limit, out _, out _) is null))
            {
                next = Search(at + 1, limit, records.Count > 0 ? records[0].CommittedAt : committedAt)?.Place.Offset ?? limit;
                problem += next < limit ? string.Create(CultureInfo.InvariantCulture, $" The next one was found by search, {next - at} bytes on.") : string.Empty;
            }

            skip(at, problem);
            at = next;
        }

        return records;
    }

    private bool IsWorthReading(long at, long committedAt)
    {
        Span<byte> head = stackalloc byte[HeadBytes];
        return file.Read(head, at) == head.Length
            && StoredRecord.TryReadLengths(head, out var metadata, out _)
            && (committedAt == 0 || BinaryPrimitives.ReadInt64LittleEndian(head[SealedRecord.CommittedAt..]) == committedAt)
            && (_bytesToCheck -= metadata) >= 0;
    }
}
