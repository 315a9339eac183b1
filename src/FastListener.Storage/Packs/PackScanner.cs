using System.Globalization;
using System.IO.Hashing;
using FastListener.Storage.Catalog;
using Microsoft.Win32.SafeHandles;

namespace FastListener.Storage.Packs;

/// <summary>
/// Reads a pack from its first batch to its last without a catalog. A batch that another batch follows was committed, since a pack is never
/// written again after a failure; the last one is not proved unless the pack was ended or the caller knows a committed end.
/// </summary>
internal sealed class PackScanner : IDisposable
{
    private readonly StoreLayout _layout;
    private readonly long _pack;
    private readonly long _knownEnd;
    private readonly List<string> _skipped;
    private readonly SafeFileHandle _file;
    private readonly long _length;

    /// <param name="layout">The data directory.</param>
    /// <param name="pack">The pack's id, from its file name.</param>
    /// <param name="knownEnd">The committed end an old catalog knew; 0 when there is none.</param>
    /// <param name="skipped">Takes a line for every place that should hold something and does not.</param>
    public PackScanner(StoreLayout layout, long pack, long knownEnd, List<string> skipped)
    {
        _layout = layout;
        _pack = pack;
        _knownEnd = knownEnd;
        _skipped = skipped;
        _file = File.OpenHandle(layout.Pack(pack), share: FileShare.ReadWrite | FileShare.Delete);
        _length = RandomAccess.GetLength(_file);
        var header = new byte[PackLayout.FileHeaderSize];
        HasHeader = PackReader.ReadFully(_file, header, 0) == header.Length && PackLayout.TryReadFileHeader(header, out var id, out var instance) && id == pack;
        Instance = HasHeader ? BitConverter.ToUInt32(header, 32) : 0;
        End = ProvedEnd = PackLayout.FileHeaderSize;
    }

    public bool HasHeader { get; }

    public uint Instance { get; }

    /// <summary>Where the last batch that was given out ends.</summary>
    public long End { get; private set; }

    /// <summary>Where the last batch whose commit is proved ends.</summary>
    public long ProvedEnd { get; private set; }

    /// <summary>Highest object id met, also in records that were not given out.</summary>
    public long HighestId { get; private set; }

    /// <summary>Batches in order, each with whether its commit is proved. Records of an unproved batch are whole, payloads included.</summary>
    public IEnumerable<(List<StoredRecord> Records, bool IsProved)> Batches()
    {
        List<StoredRecord>? last = null;
        long lastEnd = 0;
        for (long offset = PackLayout.FileHeaderSize; offset < _length;)
        {
            if (!TryReadBatchHeader(offset, out var batch))
            {
                var found = ReadRecords(offset, int.MaxValue, _length, out var end);
                if (found.Count > 0)
                {
                    _skipped.Add(At(offset) + ": a batch header is damaged; its records were read all the same.");
                    batch = new(_pack, offset, PackLayout.Align(end - offset), found.Count, 0);
                }
                else
                {
                    offset = SkipToNextBatch(offset);
                    continue;
                }

                if (last is not null)
                {
                    yield return Give(last, lastEnd, isProved: true);
                }

                (last, lastEnd) = (found, offset + batch.Length);
                offset = lastEnd;
                continue;
            }

            if (last is not null)
            {
                yield return Give(last, lastEnd, isProved: true); // something follows: it was committed
                last = null;
            }

            if (batch.Records == 0)
            {
                yield break;
            }

            var named = _skipped.Count;
            last = ReadRecords(offset, batch.Records, Math.Min(_length, offset + batch.Length), out _);
            if (batch.Records - last.Count - (_skipped.Count - named) is var missing and > 0)
            {
                _skipped.Add($"{At(offset)}: {missing} of {batch.Records} records of the batch cannot be read.");
            }

            lastEnd = offset + batch.Length;
            offset = lastEnd;
        }

        if (last is not null)
        {
            var isProved = lastEnd <= _knownEnd;
            if (!isProved)
            {
                last.RemoveAll(record => !IsWhole(record));
            }

            yield return Give(last, Math.Min(lastEnd, _length), isProved);
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
            if (end > _length || !TryReadBatchHeader(offset, out var batch) || offset + batch.Length > end)
            {
                return false;
            }

            var records = ReadRecords(offset, batch.Records, offset + batch.Length, out _);
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
        return PackReader.ReadFully(_file, header, offset) == header.Length
            && PackLayout.TryReadBatchHeader(header, out batch)
            && batch.Pack == _pack
            && batch.Offset == offset
            && batch.Length >= PackLayout.Alignment
            && batch.Length % PackLayout.Alignment == 0
            && batch.Length <= long.MaxValue - offset
            && batch.Records >= 0;
    }

    private long SkipToNextBatch(long offset)
    {
        var from = offset;
        do
        {
            offset += PackLayout.Alignment;
        }
        while (offset < _length && !TryReadBatchHeader(offset, out _));
        if (offset >= _length && IsZero(from))
        {
            return offset; // written ahead, never used
        }

        _skipped.Add($"{At(from)}: {Math.Min(offset, _length) - from} bytes hold no batch.");
        return offset;
    }

    private bool IsZero(long offset)
    {
        var bytes = new byte[64 * 1024];
        for (int read; (read = RandomAccess.Read(_file, bytes, offset)) > 0; offset += read)
        {
            if (bytes.AsSpan(0, read).ContainsAnyExcept((byte)0))
            {
                return false;
            }
        }

        return true;
    }

    private List<StoredRecord> ReadRecords(long batchOffset, int count, long limit, out long end)
    {
        var records = new List<StoredRecord>();
        end = batchOffset + PackLayout.BatchHeaderSize;
        Span<byte> header = stackalloc byte[PackLayout.RecordHeaderSize];
        for (var i = 0; i < count; i++)
        {
            if (PackReader.ReadFully(_file, header, end) < header.Length || !StoredRecord.TryReadLengths(header, out var metadata, out var inline))
            {
                break;
            }

            var length = PackLayout.RecordHeaderSize + metadata + inline;
            if (end + length > limit)
            {
                break;
            }

            try
            {
                var bytes = new byte[PackLayout.RecordHeaderSize + metadata];
                PackReader.ReadFully(_file, bytes, end);
                var record = StoredRecord.Parse(bytes, new RecordPlace(_pack, end, length));
                _ = record.Payloads; // throws when the table cannot be read
                HighestId = Math.Max(HighestId, record.ObjectId);
                records.Add(record);
            }
            catch (InvalidDataException exception)
            {
                _skipped.Add($"{At(end)}: {exception.Message}");
            }

            end += length;
        }

        return records;
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
                    _skipped.Add($"{At(record.Place.Offset)}: the uncommitted record's file {payload.Location} is missing or short.");
                    return false;
                }

                continue;
            }

            var bytes = new byte[payload.Size];
            if (PackReader.ReadFully(_file, bytes, payload.Offset) < bytes.Length || Convert.ToHexStringLower(XxHash128.Hash(bytes)) != payload.Checksum)
            {
                _skipped.Add($"{At(record.Place.Offset)}: the uncommitted record's payload {payload.Index} is torn.");
                return false;
            }
        }

        return true;
    }

    private string At(long offset) => string.Create(CultureInfo.InvariantCulture, $"packs/{PackLayout.FileName(_pack)}+{offset}");
}
