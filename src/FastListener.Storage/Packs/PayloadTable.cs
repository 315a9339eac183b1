using System.Globalization;
using System.Text;

namespace FastListener.Storage.Packs;

/// <summary>
/// The table of a record's payloads, as it stands in the record and, byte for byte, in the catalog row: a count, then for each payload
/// kind, name, file name, content type, size, XXH3-128, and its place: inline at an offset of the record's payload bytes, a file, or nowhere and why.
/// </summary>
internal static class PayloadTable
{
    public const byte Inline = 0;
    public const byte InFile = 1;
    public const byte Omitted = 2;
    public const long MaxBytes = long.MaxValue / 4; // of a record's payloads together; a place beyond it lies in no record either

    /// <summary>Reads a table whose record lies at the given place. Throws <see cref="InvalidDataException"/> when a payload would lie outside of it.</summary>
    public static List<PayloadInfo> Read(ReadOnlySpan<byte> table, int firstIndex, DateTimeOffset addedAt, long pack, long offset, long length)
    {
        var start = offset + length - InlineBytes(table, length);
        var entries = new PayloadTableReader(table);
        var payloads = new List<PayloadInfo>(Math.Min(entries.Count, 1024));
        while (entries.TryRead(out var entry))
        {
            payloads.Add(new PayloadInfo
            {
                Index = firstIndex + payloads.Count,
                Kind = entry.Kind,
                Name = Encoding.UTF8.GetString(entry.Name),
                FileName = Encoding.UTF8.GetString(entry.FileName),
                ContentType = Encoding.UTF8.GetString(entry.ContentType),
                Size = entry.Size,
                Checksum = Convert.ToHexStringLower(entry.Checksum),
                AddedAt = addedAt,
                Location = entry.IsOmitted ? string.Empty : entry.File is { } file ? FileLocation(file) : PackLocation(pack, start + entry.InlineStart),
                Pack = pack,
                Offset = entry.IsInline ? start + entry.InlineStart : 0,
                File = entry.File,
                OmittedReason = entry.IsOmitted ? Encoding.UTF8.GetString(entry.OmittedReason) : null,
            });
        }

        return payloads;
    }

    /// <summary>
    /// How many bytes the inline payloads of a table take: the last of a record of that length. Throws <see cref="InvalidDataException"/> when the table
    /// cannot be read or a payload would lie outside of the record.
    /// </summary>
    public static long InlineBytes(ReadOnlySpan<byte> table, long length)
    {
        long inline = 0;
        long total = 0;
        long end = 0;
        for (var entries = new PayloadTableReader(table); entries.TryRead(out var entry);)
        {
            if ((total += entry.Size) > MaxBytes)
            {
                throw new InvalidDataException("A stored record counts more bytes than there are.");
            }

            if (entry.IsInline)
            {
                inline += entry.Size;
                end = Math.Max(end, entry.InlineStart + entry.Size);
            }
        }

        return inline <= length && end <= inline ? inline : throw new InvalidDataException("A stored record's payloads lie outside of it.");
    }

    /// <summary>Where bytes in a pack lie, relative to the data directory.</summary>
    public static string PackLocation(long pack, long offset) => string.Create(CultureInfo.InvariantCulture, $"packs/{PackLayout.FileName(pack)}+{offset}");

    /// <summary>Where a payload's file lies, relative to the data directory.</summary>
    public static string FileLocation(string file) => "files/" + StoreLayout.FilePath(file);
}

/// <summary>Reads a payload table entry by entry, where it lies.</summary>
internal ref struct PayloadTableReader
{
    private SpanReader _rest;
    private int _left;

    public PayloadTableReader(ReadOnlySpan<byte> table)
    {
        _rest = new(table);
        _left = Count = _rest.Count();
    }

    /// <summary>Entries in all, as the table says.</summary>
    public int Count { get; }

    /// <summary>The next entry; false at the end. Throws <see cref="InvalidDataException"/> when it cannot be read.</summary>
    public bool TryRead(out PayloadEntry entry)
    {
        entry = default;
        if (_left == 0)
        {
            return false;
        }

        _left--;
        entry.Kind = (PayloadKind)_rest.Byte();
        entry.Name = _rest.Prefixed();
        entry.FileName = _rest.Prefixed();
        entry.ContentType = _rest.Prefixed();
        entry.Size = (long)Math.Min(_rest.Varint(), PayloadTable.MaxBytes);
        entry.Checksum = _rest.Take(16);
        switch (_rest.Byte())
        {
            case PayloadTable.Inline:
                entry.IsInline = true;
                entry.InlineStart = (long)Math.Min(_rest.Varint(), PayloadTable.MaxBytes);
                break;
            case PayloadTable.InFile:
                entry.File = _rest.Text();
                if (!StoreLayout.TryParseFileName(entry.File, out _))
                {
                    throw new InvalidDataException("A stored record names a file that the store cannot have written.");
                }

                break;
            case PayloadTable.Omitted:
                entry.IsOmitted = true;
                entry.OmittedReason = _rest.Prefixed();
                break;
            case var unknown:
                throw new InvalidDataException($"A stored record has a payload in a place ({unknown}) that is unknown to this program.");
        }

        return true;
    }
}

/// <summary>A payload as its table has it: inline, in a file, or not kept. Its spans live as long as the table's bytes.</summary>
internal ref struct PayloadEntry
{
    public PayloadKind Kind;
    public ReadOnlySpan<byte> Name;
    public ReadOnlySpan<byte> FileName;
    public ReadOnlySpan<byte> ContentType;
    public long Size;
    public ReadOnlySpan<byte> Checksum;

    public bool IsInline;

    /// <summary>Where it begins in the record's payload bytes, when it is inline.</summary>
    public long InlineStart;

    /// <summary>The file's name; null when it is in none.</summary>
    public string? File;

    public bool IsOmitted;

    public ReadOnlySpan<byte> OmittedReason;
}
