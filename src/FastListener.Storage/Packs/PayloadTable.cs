using System.Globalization;

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
    private const long MaxBytes = long.MaxValue / 4; // of a record's payloads together; a place beyond it lies in no record either

    /// <summary>Reads a table whose record lies at the given place. Throws <see cref="InvalidDataException"/> when a payload would lie outside of it.</summary>
    public static List<PayloadInfo> Read(ReadOnlySpan<byte> table, int firstIndex, DateTimeOffset addedAt, long pack, long offset, long length)
    {
        var reader = new SpanReader(table);
        var count = reader.Count();
        var payloads = new List<PayloadInfo>(Math.Min(count, 1024));
        long inline = 0;
        long total = 0;
        for (var i = 0; i < count; i++)
        {
            var kind = (PayloadKind)reader.Byte();
            var name = reader.Text();
            var fileName = reader.Text();
            var contentType = reader.Text();
            var size = (long)Math.Min(reader.Varint(), MaxBytes);
            if ((total += size) > MaxBytes)
            {
                throw new InvalidDataException("A stored record counts more bytes than there are.");
            }

            var checksum = Convert.ToHexStringLower(reader.Take(16));
            long place = 0;
            string? file = null;
            string? omitted = null;
            switch (reader.Byte())
            {
                case Inline:
                    place = (long)Math.Min(reader.Varint(), MaxBytes);
                    inline += size;
                    break;
                case InFile:
                    file = reader.Text();
                    if (!StoreLayout.TryParseFileName(file, out _))
                    {
                        throw new InvalidDataException("A stored record names a file that the store cannot have written.");
                    }

                    break;
                case Omitted:
                    omitted = reader.Text();
                    break;
                case var unknown:
                    throw new InvalidDataException($"A stored record has a payload in a place ({unknown}) that is unknown to this program.");
            }

            payloads.Add(new PayloadInfo
            {
                Index = firstIndex + i,
                Kind = kind,
                Name = name,
                FileName = fileName,
                ContentType = contentType,
                Size = size,
                Checksum = checksum,
                AddedAt = addedAt,
                Location = string.Empty,
                Pack = pack,
                Offset = place,
                File = file,
                OmittedReason = omitted,
            });
        }

        // The inline bytes are the last of the record.
        if (inline > length || payloads.Exists(p => p.IsInline && p.Offset + p.Size > inline))
        {
            throw new InvalidDataException("A stored record's payloads lie outside of it.");
        }

        var start = offset + length - inline;
        for (var i = 0; i < payloads.Count; i++)
        {
            var payload = payloads[i];
            payloads[i] = payload.IsOmitted ? payload
                : payload.File is { } file
                ? payload with { Location = "files/" + StoreLayout.FilePath(file) }
                : payload with
                {
                    Offset = start + payload.Offset,
                    Location = string.Create(CultureInfo.InvariantCulture, $"packs/{PackLayout.FileName(pack)}+{start + payload.Offset}"),
                };
        }

        return payloads;
    }
}
