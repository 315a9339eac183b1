using System.Globalization;
using System.IO.Hashing;
using FastListener.Storage.Catalog;

namespace FastListener.Storage.Packs;

/// <summary>
/// Reads a pack from its first batch to its last without a catalog. A batch that another batch follows was committed, since a pack is never
/// written again after a failure; the last one is not proved unless the pack was ended or the caller knows a committed end.
/// </summary>
internal sealed class PackScanner : IDisposable
{
    private const long NamedApart = 1024 * 1024; // places that cannot be read and lie closer than that get one line
    private readonly StoreLayout _layout;
    private readonly long _pack;
    private readonly long _knownEnd;
    private readonly List<string> _skipped;
    private readonly LenientFile _file;
    private readonly RecordFinder _finder;
    private readonly List<StoredRecord> _doubtful = [];
    private readonly bool _readsAround;
    private long _named = -NamedApart;

    /// <param name="layout">The data directory.</param>
    /// <param name="pack">The pack's id, from its file name.</param>
    /// <param name="knownEnd">The committed end an old catalog knew; 0 when there is none.</param>
    /// <param name="skipped">
    /// Takes a line for every place that should hold something and does not. Null: what cannot be read is an <see cref="IOException"/>, so that
    /// a start does not take it for what is not there.
    /// </param>
    /// <param name="open">Opens the pack; null for the file as it is.</param>
    public PackScanner(StoreLayout layout, long pack, long knownEnd, List<string>? skipped, Func<string, Action<long, string>, LenientFile>? open = null)
    {
        _layout = layout;
        _pack = pack;
        _knownEnd = knownEnd;
        _skipped = skipped ?? [];
        _readsAround = skipped is not null;
        _file = open is null ? new(layout.Pack(pack), TellFailure) : open(layout.Pack(pack), TellFailure);
        _finder = new(_file, pack, Skip);
        Length = _file.Length;
        try
        {
            var header = new byte[PackLayout.FileHeaderSize];
            HasHeader = _file.Read(header, 0) == header.Length && PackLayout.TryReadFileHeader(header, out var id, out var instance) && id == pack;
            Instance = HasHeader ? BitConverter.ToUInt32(header, 32) : 0;
        }
        catch
        {
            _file.Dispose();
            throw;
        }

        End = ProvedEnd = PackLayout.FileHeaderSize;
    }

    /// <summary>The file's length.</summary>
    public long Length { get; }

    public bool HasHeader { get; }

    public uint Instance { get; }

    /// <summary>Where the last batch that was given out ends.</summary>
    public long End { get; private set; }

    /// <summary>Where the last batch whose commit is proved ends.</summary>
    public long ProvedEnd { get; private set; }

    /// <summary>Highest object id met, also in records that were not given out.</summary>
    public long HighestId => _finder.HighestId;

    /// <summary>
    /// What was found by search alone, where neither a batch header nor a first record is left to tell when the batch was committed: whole, but it may
    /// be what somebody put into a payload.
    /// </summary>
    public IReadOnlyList<StoredRecord> Doubtful => _doubtful;

    /// <summary>Batches in order, each with whether its commit is proved. Records of an unproved batch are whole, payloads included.</summary>
    public IEnumerable<(List<StoredRecord> Records, bool IsProved)> Batches()
    {
        List<StoredRecord>? last = null;
        long lastEnd = 0;
        for (long offset = PackLayout.FileHeaderSize; offset < Length;)
        {
            List<StoredRecord> records;
            long end;
            var next = offset;
            if (TryReadBatchHeader(offset, out var batch))
            {
                if (last is not null)
                {
                    yield return Give(last, lastEnd, isProved: true); // something follows: it was committed
                    last = null;
                }

                if (batch.Records == 0)
                {
                    yield break;
                }

                records = ReadBatch(batch);
                next = end = offset + batch.Length;
            }
            else
            {
                records = ReadWithoutHeader(offset, out end, out next);
                if (records.Count == 0)
                {
                    offset = next;
                    continue;
                }

                if (last is not null)
                {
                    yield return Give(last, lastEnd, isProved: true);
                }
            }

            (last, lastEnd) = (records, end);
            offset = next;
        }

        if (last is not null)
        {
            var isProved = lastEnd <= _knownEnd;
            if (!isProved)
            {
                last.RemoveAll(record => !IsWhole(record));
            }

            yield return Give(last, Math.Min(lastEnd, Length), isProved);
        }
    }

    /// <summary>Whether a batch that was committed begins there: one that another follows.</summary>
    public bool HoldsCommitAt(long offset) =>
        TryReadBatchHeader(offset, out var batch) && batch.Records > 0 && TryReadBatchHeader(offset + batch.Length, out _);

    /// <summary>Whether everything from one batch's start to another's end is there and right, large payloads' files by their length.</summary>
    public bool IsWhole(long start, long end)
    {
        for (var offset = start; offset < end;)
        {
            if (end > Length || !TryReadBatchHeader(offset, out var batch) || offset + batch.Length > end)
            {
                return false;
            }

            var records = _finder.ReadChain(offset + PackLayout.BatchHeaderSize, batch.Records, offset + batch.Length, out _);
            if (records.Count < batch.Records || !records.TrueForAll(IsWhole))
            {
                return false;
            }

            offset += batch.Length;
        }

        return true;
    }

    public void Dispose() => _file.Dispose();

    private (List<StoredRecord> Records, bool IsProved) Give(List<StoredRecord> records, long end, bool isProved)
    {
        End = end;
        ProvedEnd = isProved ? end : ProvedEnd;
        return (records, isProved);
    }

    private bool TryReadBatchHeader(long offset, out BatchHeader batch)
    {
        Span<byte> header = stackalloc byte[PackLayout.BatchHeaderSize];
        batch = default;
        return _file.Read(header, offset) == header.Length
            && PackLayout.TryReadBatchHeader(header, out batch)
            && batch.Pack == _pack
            && batch.Offset == offset
            && batch.Length >= PackLayout.Alignment
            && batch.Length % PackLayout.Alignment == 0
            && batch.Length <= long.MaxValue - offset
            && batch.Records >= 0;
    }

    private List<StoredRecord> ReadBatch(in BatchHeader batch)
    {
        var records = _finder.ReadAround(
            batch.Offset + PackLayout.BatchHeaderSize, batch.Records, Math.Min(Length, batch.Offset + batch.Length), batch.WrittenAt, out _, out var damaged);
        if (batch.Records - records.Count - damaged is var missing and > 0)
        {
            Skip(batch.Offset, $"{missing} of {batch.Records} records of the batch cannot be read.");
        }

        return records;
    }

    /// <summary>The records of a batch without a sound header; none when its first record is damaged, too.</summary>
    /// <param name="offset">Where the batch begins, or anything else does.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="next">Where to read on.</param>
    private List<StoredRecord> ReadWithoutHeader(long offset, out long end, out long next)
    {
        var start = offset + PackLayout.BatchHeaderSize;
        var records = _finder.ReadChain(start, int.MaxValue, Length, out var last);
        if (records.Count == 0)
        {
            next = end = SkipToNextBatch(offset);
            return records;
        }

        Skip(offset, "a batch header is damaged; its records were read all the same.");
        next = PackLayout.Align(last);
        if (next < Length && !TryReadBatchHeader(next, out _) && _finder.Read(next + PackLayout.BatchHeaderSize, Length, out _, out _) is null)
        {
            next = NextBatch(next); // nothing begins where this batch should end: the damage goes on
            records = _finder.ReadAround(start, int.MaxValue, next, committedAt: 0, out last, out _);
        }

        end = PackLayout.Align(last);
        return records;
    }

    /// <summary>Passes what holds no batch that can be read, and keeps as doubtful what looks like records in it.</summary>
    private long SkipToNextBatch(long offset)
    {
        var next = NextBatch(offset);
        if (next >= Length && _file.IsZero(offset, Length))
        {
            return next; // written ahead, never used
        }

        var before = _doubtful.Count;
        for (var from = offset + PackLayout.BatchHeaderSize; _finder.Search(from, next, committedAt: 0) is { } record; from = record.Place.Offset + record.Place.Length)
        {
            if (IsWhole(record))
            {
                _doubtful.Add(record);
            }
        }

        var found = _doubtful.Count == before ? string.Empty : string.Create(CultureInfo.InvariantCulture, $" {_doubtful.Count - before} records were found in them by search.");
        Skip(offset, $"{next - offset} bytes hold no batch.{found}");
        return next;
    }

    /// <summary>Where the next batch header is; the end of the file when there is none.</summary>
    private long NextBatch(long offset)
    {
        for (offset += PackLayout.Alignment; offset < Length && !TryReadBatchHeader(offset, out _);)
        {
            offset = _file.HasFailed ? _file.AfterFailure(offset, Length) : offset + PackLayout.Alignment;
        }

        return Math.Min(offset, Length);
    }

    private bool IsWhole(StoredRecord record)
    {
        foreach (var payload in record.Payloads)
        {
            if (payload.IsOmitted)
            {
                continue;
            }

            if (payload.File is { } name)
            {
                if (new FileInfo(_layout.File(name)) is var file && (!file.Exists || file.Length != payload.Size))
                {
                    Skip(record.Place.Offset, $"the uncommitted record's file {payload.Location} is missing or short.");
                    return false;
                }

                continue;
            }

            var bytes = new byte[payload.Size];
            if (_file.Read(bytes, payload.Offset) < bytes.Length || Convert.ToHexStringLower(XxHash128.Hash(bytes)) != payload.Checksum)
            {
                Skip(record.Place.Offset, $"the uncommitted record's payload {payload.Index} is torn.");
                return false;
            }
        }

        return true;
    }

    private void TellFailure(long offset, string message)
    {
        if (!_readsAround)
        {
            throw new IOException(message);
        }

        if (Math.Abs(offset - _named) >= NamedApart)
        {
            _named = offset;
            Skip(offset, message);
        }
    }

    private void Skip(long offset, string message) =>
        _skipped.Add(string.Create(CultureInfo.InvariantCulture, $"packs/{PackLayout.FileName(_pack)}+{offset}: {message}"));
}
