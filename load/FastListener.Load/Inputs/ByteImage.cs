using System.IO.Hashing;
using System.Text;

namespace FastListener.Load.Inputs;

/// <summary>A stretch of shared bytes inside a body.</summary>
internal readonly record struct Piece(PinnedBytes Bytes, int Offset, int Length);

/// <summary>
/// Bytes too many to hold, told as a short prefix and shared pieces. The prefix may hold a 16-digit sequence number that differs from
/// request to request, so that no two submissions are alike and every stored object can be told from its neighbours.
/// </summary>
internal sealed class ByteImage
{
    public const int SequenceDigits = 16;

    private readonly long[] _starts;

    public ByteImage(byte[] prefix, int sequenceOffset, IReadOnlyList<Piece> pieces)
    {
        Prefix = prefix;
        SequenceOffset = sequenceOffset;
        Pieces = pieces;
        _starts = new long[pieces.Count];
        long at = prefix.Length;
        for (var i = 0; i < pieces.Count; i++)
        {
            _starts[i] = at;
            at += pieces[i].Length;
        }

        Length = at;
    }

    public byte[] Prefix { get; }

    /// <summary>Where in the prefix the sequence number goes; -1 when the image is the same in every request.</summary>
    public int SequenceOffset { get; }

    public IReadOnlyList<Piece> Pieces { get; }

    public long Length { get; }

    /// <summary>Writes the image's bytes from <paramref name="offset"/> on, as request <paramref name="sequence"/> sends them.</summary>
    public void Read(long offset, Span<byte> destination, ulong sequence)
    {
        if (offset < Prefix.Length && !destination.IsEmpty)
        {
            var take = (int)Math.Min(destination.Length, Prefix.Length - offset);
            Prefix.AsSpan((int)offset, take).CopyTo(destination);
            if (SequenceOffset >= 0)
            {
                Span<byte> digits = stackalloc byte[SequenceDigits];
                WriteSequence(digits, sequence);
                for (var i = 0; i < SequenceDigits; i++)
                {
                    var at = SequenceOffset + i - offset;
                    if (at >= 0 && at < take)
                    {
                        destination[(int)at] = digits[i];
                    }
                }
            }

            destination = destination[take..];
            offset += take;
        }

        if (destination.IsEmpty)
        {
            return;
        }

        var index = Array.BinarySearch(_starts, offset);
        for (index = index < 0 ? ~index - 1 : index; !destination.IsEmpty; index++)
        {
            var piece = Pieces[index];
            var within = (int)(offset - _starts[index]);
            var take = Math.Min(destination.Length, piece.Length - within);
            piece.Bytes.Span.Slice(piece.Offset + within, take).CopyTo(destination);
            destination = destination[take..];
            offset += take;
        }
    }

    /// <summary>XXH3-128 of <paramref name="length"/> bytes from <paramref name="offset"/>, in lower-case hex.</summary>
    public string Checksum(long offset, long length, ulong sequence, byte[] buffer)
    {
        var hash = new XxHash128();
        for (long done = 0; done < length;)
        {
            var take = (int)Math.Min(buffer.Length, length - done);
            Read(offset + done, buffer.AsSpan(0, take), sequence);
            hash.Append(buffer.AsSpan(0, take));
            done += take;
        }

        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    /// <summary>True when the stream holds exactly these bytes and nothing after them.</summary>
    public bool Matches(Stream stream, long offset, long length, ulong sequence, byte[] buffer, byte[] other)
    {
        for (long done = 0; done < length;)
        {
            var take = (int)Math.Min(Math.Min(buffer.Length, other.Length), length - done);
            if (stream.ReadAtLeast(buffer.AsSpan(0, take), take, throwOnEndOfStream: false) != take)
            {
                return false;
            }

            Read(offset + done, other.AsSpan(0, take), sequence);
            if (!buffer.AsSpan(0, take).SequenceEqual(other.AsSpan(0, take)))
            {
                return false;
            }

            done += take;
        }

        return stream.ReadByte() < 0;
    }

    public static void WriteSequence(Span<byte> destination, ulong sequence)
    {
        if (!System.Buffers.Text.Utf8Formatter.TryFormat(sequence, destination, out _, new System.Buffers.StandardFormat('x', SequenceDigits)))
        {
            throw new InvalidOperationException("No room for the sequence number.");
        }
    }

    public static byte[] SequencePlaceholder { get; } = Encoding.ASCII.GetBytes(new string('0', SequenceDigits));
}
