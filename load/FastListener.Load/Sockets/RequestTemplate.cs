using System.Globalization;
using System.Text;
using FastListener.Load.Inputs;

namespace FastListener.Load.Sockets;

/// <summary>
/// A request built once: head and first bytes of the body in one prefix, which every connection copies and in which it writes the sequence
/// number (and, for a late attachment, the object it belongs to); the rest of the body lies in shared memory.
/// </summary>
internal sealed class RequestTemplate
{
    public const string SequenceMark = "{seq}";
    public const string ObjectMark = "{rxid}";
    public const int ObjectIdLength = 36;

    private RequestTemplate(SubmissionBody body, byte[] prefix, int[] sequenceOffsets, int objectOffset, bool closes)
    {
        Body = body;
        Prefix = prefix;
        SequenceOffsets = sequenceOffsets;
        ObjectOffset = objectOffset;
        Closes = closes;
        Pieces = body.Wire.Pieces;
        Length = prefix.Length + body.Wire.Length - body.Wire.Prefix.Length;
    }

    public SubmissionBody Body { get; }

    public byte[] Prefix { get; }

    public int[] SequenceOffsets { get; }

    /// <summary>Where the 36 characters of the object's id go; -1 when the request names none.</summary>
    public int ObjectOffset { get; }

    public IReadOnlyList<Piece> Pieces { get; }

    /// <summary>Head and body, in bytes.</summary>
    public long Length { get; }

    /// <summary>The request says <c>Connection: close</c>.</summary>
    public bool Closes { get; }

    /// <summary>Statuses that count as the answer hoped for.</summary>
    public required int[] Expected { get; init; }

    /// <summary>Text that the answer's body must hold; null when any will do.</summary>
    public byte[]? Marker { get; init; }

    public static RequestTemplate Build(
        SubmissionBody body, string method, string path, string host, bool closes, int[] expected, byte[]? marker, string userAgent = "fastlistener-load/1")
    {
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture, $"{method} {path.Replace(SequenceMark, new string('0', ByteImage.SequenceDigits), StringComparison.Ordinal).Replace(ObjectMark, new string('0', ObjectIdLength), StringComparison.Ordinal)} HTTP/1.1\r\n");
        head.Append(CultureInfo.InvariantCulture, $"Host: {host}\r\nUser-Agent: {userAgent}\r\nAccept: */*\r\n");
        if (closes)
        {
            head.Append("Connection: close\r\n");
        }

        if (body.ContentType is not null)
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Type: {body.ContentType}\r\n");
        }

        if (body.ContentEncoding is not null)
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Encoding: {body.ContentEncoding}\r\n");
        }

        head.Append(body.Chunked
            ? "Transfer-Encoding: chunked\r\n\r\n"
            : string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Wire.Length}\r\n\r\n"));

        var headBytes = Encoding.ASCII.GetBytes(head.ToString());
        var sequenceOffsets = new List<int>();
        var sequenceAt = path.Replace(ObjectMark, new string('0', ObjectIdLength), StringComparison.Ordinal).IndexOf(SequenceMark, StringComparison.Ordinal);
        if (sequenceAt >= 0)
        {
            sequenceOffsets.Add(method.Length + 1 + sequenceAt);
        }

        if (body.Wire.SequenceOffset >= 0)
        {
            sequenceOffsets.Add(headBytes.Length + body.Wire.SequenceOffset);
        }

        var objectAt = path.Replace(SequenceMark, new string('0', ByteImage.SequenceDigits), StringComparison.Ordinal).IndexOf(ObjectMark, StringComparison.Ordinal);
        return new RequestTemplate(body, [.. headBytes, .. body.Wire.Prefix], [.. sequenceOffsets], objectAt < 0 ? -1 : method.Length + 1 + objectAt, closes)
        {
            Expected = expected,
            Marker = marker,
        };
    }

    public void WritePrefix(Span<byte> destination, ulong sequence, ReadOnlySpan<byte> objectId)
    {
        Prefix.CopyTo(destination);
        foreach (var offset in SequenceOffsets)
        {
            ByteImage.WriteSequence(destination.Slice(offset, ByteImage.SequenceDigits), sequence);
        }

        if (ObjectOffset >= 0)
        {
            objectId[..ObjectIdLength].CopyTo(destination[ObjectOffset..]);
        }
    }
}
