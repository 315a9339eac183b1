using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using FastListener.Storage.Catalog;
using FastListener.Storage.Packs;

namespace FastListener.Storage;

/// <summary>One thread of a verification: reads the records of a page in runs, and what is too large for a run, or damaged, by itself.</summary>
internal sealed class VerificationWorker(StoreLayout layout, VerificationPages pages, CancellationToken cancel) : IDisposable
{
    private const int ReportBytes = 64 * 1024 * 1024;

    private readonly PackReader _packs = new(layout); // no advice to read ahead: two workers would wait for the same pages
    private readonly VerificationPage _page = new();
    private readonly XxHash128 _hash = new();
    private readonly byte[] _buffer = new byte[256 * 1024];
    private byte[] _signature = new byte[256];
    private VerificationCount _count;

    public void Run()
    {
        try
        {
            using var runs = new PackRuns(_packs);
            while (pages.TryTake(_page))
            {
                runs.Forget();
                for (var i = 0; i < _page.Rows.Count; i++)
                {
                    cancel.ThrowIfCancellationRequested();
                    Check(_page.Rows[i], runs.Record(_page.Places, i));
                }

                pages.Add(ref _count);
            }
        }
        catch
        {
            pages.Stop();
            throw;
        }
    }

    public void Dispose() => _packs.Dispose();

    /// <param name="row">What the catalog says.</param>
    /// <param name="record">The whole record; empty when it has to be read here.</param>
    private void Check(in VerifiedRow row, ReadOnlySpan<byte> record)
    {
        _count.Objects += row.IsLate ? 0 : 1;
        if (ProblemOfRecord(row, record) is { } problem)
        {
            Report(row, row.IsLate ? row.FirstIndex : -1, PayloadTable.PackLocation(row.Place.Pack, row.Place.Offset), problem);
        }

        long inline;
        try
        {
            inline = PayloadTable.InlineBytes(row.Table, row.Place.Length);
        }
        catch (InvalidDataException exception)
        {
            Report(row, row.FirstIndex, PayloadTable.PackLocation(row.Place.Pack, row.Place.Offset), "The catalog's list of payloads cannot be read: " + exception.Message);
            return;
        }

        var start = row.Place.Length - inline; // the inline bytes are the record's last
        var index = row.FirstIndex;
        for (var entries = new PayloadTableReader(row.Table); entries.TryRead(out var entry); index++)
        {
            if (entry.IsOmitted)
            {
                _count.Omitted++;
                continue;
            }

            _count.Payloads++;
            if ((entry.File is { } file ? ProblemOfFile(file, entry)
                : record.IsEmpty ? ProblemInPack(row.Place.Pack, row.Place.Offset + start + entry.InlineStart, entry)
                : ProblemOf(record.Slice((int)(start + entry.InlineStart), (int)entry.Size), entry)) is { } wrong)
            {
                Report(row, index, entry.File is { } name ? PayloadTable.FileLocation(name) : PayloadTable.PackLocation(row.Place.Pack, row.Place.Offset + start + entry.InlineStart), wrong);
            }
        }
    }

    private string? ProblemOfRecord(in VerifiedRow row, ReadOnlySpan<byte> record)
    {
        try
        {
            return Difference(row, RecordView.Parse(record.IsEmpty ? _packs.ReadHead(row.Place) : record[..PackReader.HeadLength(record, row.Place)]));
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException)
        {
            return exception.Message;
        }
    }

    private string? Difference(in VerifiedRow row, in RecordView record)
    {
        if (record.IsLate != row.IsLate || record.ObjectId != row.ObjectId || (row.IsLate ? record.FirstIndex != row.FirstIndex : record.Random != row.Random))
        {
            return row.IsLate ? "The record is another attachment's." : "The record is another object's.";
        }

        if (!row.IsLate)
        {
            if (record.ReceivedAt != row.ReceivedAt || record.CommittedAt != row.CommittedAt || record.Format != row.Format || !record.Client.SequenceEqual(row.Client))
            {
                return "The catalog's row differs from the record.";
            }

            if (!SignatureOf(record).SequenceEqual(row.Signature))
            {
                return "The catalog's attribute signature differs from the record.";
            }
        }

        return !record.Table.SequenceEqual(row.Table) ? "The catalog's list of payloads differs from the record."
            : record.Degradation != row.Degradation || !IsText(record.DegradedReason, row.DegradedReason) ? "The catalog and the record differ in what was given up."
            : record.HasSender != row.Account is not null || !IsText(record.Account, row.Account ?? string.Empty) || row.WireBytes != record.WireBytes
                ? "The catalog and the record differ in who sent it or how much was received."
            : null;
    }

    private ReadOnlySpan<byte> SignatureOf(in RecordView record)
    {
        var size = AttributeSignature.SizeFor(record.AttributeCount);
        if (size > _signature.Length)
        {
            _signature = new byte[size];
        }

        record.WriteSignature(_signature.AsSpan(0, size));
        return _signature.AsSpan(0, size);
    }

    /// <summary>Whether the bytes read as a text; what is not UTF-8 reads as U+FFFD in both.</summary>
    private static bool IsText(ReadOnlySpan<byte> utf8, string text)
    {
        const int most = 256;
        Span<char> chars = stackalloc char[most];
        return utf8.Length > most ? Encoding.UTF8.GetString(utf8) == text : chars[..Encoding.UTF8.GetChars(utf8, chars)].SequenceEqual(text);
    }

    private string? ProblemOf(ReadOnlySpan<byte> bytes, in PayloadEntry entry)
    {
        _count.Bytes += bytes.Length;
        return Judge(XxHash128.HashToUInt128(bytes), entry);
    }

    private string? ProblemOfFile(string name, in PayloadEntry entry)
    {
        try
        {
            using var file = File.OpenHandle(
                layout.File(name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
            var length = RandomAccess.GetLength(file);
            return length != entry.Size ? $"{length} bytes instead of {entry.Size}." : ProblemOf(file, 0, entry);
        }
        catch (IOException exception)
        {
            return exception.Message;
        }
    }

    private string? ProblemInPack(long pack, long offset, in PayloadEntry entry)
    {
        try
        {
            return offset < 0 ? "No payload where the catalog says there is one." : ProblemOf(_packs.Open(pack), offset, entry);
        }
        catch (IOException exception)
        {
            return exception.Message;
        }
    }

    private string? ProblemOf(Microsoft.Win32.SafeHandles.SafeFileHandle file, long offset, in PayloadEntry entry)
    {
        _hash.Reset();
        for (long done = 0; done < entry.Size;)
        {
            cancel.ThrowIfCancellationRequested();
            var read = RandomAccess.Read(file, _buffer.AsSpan(0, (int)Math.Min(_buffer.Length, entry.Size - done)), offset + done);
            if (read == 0)
            {
                return entry.IsInline ? "The pack ends within the payload." : $"{done} bytes instead of {entry.Size}.";
            }

            _hash.Append(_buffer.AsSpan(0, read));
            done += read;
            _count.Bytes += read;
            if (_count.Bytes >= ReportBytes)
            {
                pages.Add(ref _count);
            }
        }

        return Judge(_hash.GetCurrentHashAsUInt128(), entry);
    }

    private static string? Judge(UInt128 hash, in PayloadEntry entry) =>
        hash == BinaryPrimitives.ReadUInt128BigEndian(entry.Checksum) ? null : "The bytes do not have the checksum they were committed with.";

    private void Report(in VerifiedRow row, int index, string location, string problem)
    {
        if (!pages.Holds(row))
        {
            return;
        }

        var random = row.IsLate ? pages.RandomOf(row.ObjectId) : row.Random;
        pages.Add(_page, new(row.ObjectId, random is { } word ? ReceiptId.Rxid(row.ObjectId, word) : string.Empty, index, location, problem));
    }
}
