using System.Globalization;
using System.Text;
using FastListener.Protocol.Compression;
using FastListener.Protocol.Http;
using FastListener.Protocol.Multipart;
using FastListener.Protocol.Tests.Support;
using FastListener.Protocol.Text;
using FastListener.TestInputs;

namespace FastListener.Protocol.Tests;

/// <summary>
/// The inputs that the benchmarks measure, taken in whole and in pieces: what comes out is what each says that went in. So no number is that
/// of a parser that reads them wrongly.
/// </summary>
public class NamedInputTests
{
    private const int Whole = int.MaxValue;

    /// <summary>A byte at a time is for inputs of a mebibyte: all of them together take seconds, not minutes.</summary>
    private const int MaxPieces = 1024 * 1024;

    private static readonly int[] PieceSizes = [Whole, 64 * 1024, 4093, 61, 1];

    private static readonly Dictionary<string, byte[]> AllHeads = typeof(RequestHeads).GetProperties().ToDictionary(head => head.Name, head => (byte[])head.GetValue(null)!);

    public static TheoryData<string> Forms => [.. NamedForms.Names];

    /// <summary>Those that are chunked and compressed in no time.</summary>
    public static TheoryData<string> SmallForms => [.. NamedForms.Names.Except([NamedForms.Crashpad64M, NamedForms.AlmostBoundaries64M])];

    public static TheoryData<string> Heads => [.. AllHeads.Keys];

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_form_gives_its_parts(string name)
    {
        var form = NamedForms.Get(name);
        foreach (var size in SizesFor(form.Body))
        {
            using var reading = new FormReading(form);
            foreach (var piece in Pieces(form.Body, size))
            {
                reading.Take(piece);
            }

            reading.Complete();
        }
    }

    [Theory]
    [MemberData(nameof(Heads))]
    public void A_head_gives_its_lines(string name)
    {
        var head = AllHeads[name];
        var lines = Encoding.ASCII.GetString(head).Split("\r\n");
        Assert.Equal(["", ""], lines[^2..]);
        foreach (var size in SizesFor(head))
        {
            using var parser = new RequestHeadParser();
            var status = ParseStatus.NeedMore;
            foreach (var piece in Pieces(head, size))
            {
                Assert.Equal(ParseStatus.NeedMore, status);
                status = parser.Append(piece.Span, out var consumed);
                Assert.Equal(piece.Length, consumed);
            }

            Assert.Equal(ParseStatus.Done, status);
            Assert.Equal(lines[..^2], Lines(parser.Head));
            Assert.Equal(Length(lines), parser.Head.Framing.Length);
        }
    }

    [Theory]
    [MemberData(nameof(SmallForms))]
    public void A_form_in_chunks_gives_its_bytes(string name)
    {
        var body = NamedForms.Get(name).Body;
        foreach (var chunkBytes in (int[])[64, 1024, 16 * 1024])
        {
            var wire = BodyCodings.Chunked(body, chunkBytes);
            foreach (var size in SizesFor(wire))
            {
                var (status, _, data, consumed) = ChunkReading.Decode(new(), [.. Pieces(wire, size).Select(piece => piece.ToArray())]);
                Assert.Equal((ParseStatus.Done, wire.Length), (status, consumed));
                Assert.True(body.AsSpan().SequenceEqual(data), $"Chunks of {chunkBytes}, pieces of {size}.");
            }
        }
    }

    [Theory]
    [MemberData(nameof(SmallForms))]
    public void A_compressed_form_gives_its_bytes(string name)
    {
        var body = NamedForms.Get(name).Body;
        var wire = BodyCodings.Gzip(body);
        var output = new byte[64 * 1024];
        using var inflater = new Inflater();
        foreach (var size in SizesFor(wire))
        {
            inflater.Reset(ContentCoding.Gzip);
            using var data = new MemoryStream(body.Length);
            foreach (var piece in Pieces(wire, size))
            {
                Inflate(inflater, piece.Span, output, data);
            }

            Assert.True(inflater.Complete());
            Assert.True(body.AsSpan().SequenceEqual(data.GetBuffer().AsSpan(0, (int)data.Length)), $"Pieces of {size}.");
        }
    }

    [Fact]
    public void The_attributes_come_out_of_their_query()
    {
        var pairs = new QueryReader(Encoding.ASCII.GetBytes(CrashpadAttributes.Query));
        var seen = 0;
        while (pairs.MoveNext())
        {
            var (name, value) = CrashpadAttributes.All[seen++];
            Assert.Equal((Encoding.UTF8.GetString(name), Encoding.UTF8.GetString(value)), (Decoded(pairs.Name), Decoded(pairs.Value)));
        }

        Assert.Equal(CrashpadAttributes.Count, seen);
    }

    private static IEnumerable<int> SizesFor(byte[] bytes) => PieceSizes.Where(size => bytes.Length / size <= MaxPieces);

    /// <summary>Each piece is gone when the next one comes: a parser may not look at it again.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> Pieces(byte[] bytes, int size)
    {
        var lent = new byte[Math.Min(size, bytes.Length)];
        for (var at = 0; at < bytes.Length; at += lent.Length)
        {
            var length = Math.Min(lent.Length, bytes.Length - at);
            bytes.AsSpan(at, length).CopyTo(lent);
            yield return lent.AsMemory(0, length);
            lent.AsSpan().Fill(0xCC);
        }
    }

    private static List<string> Lines(RequestHead head)
    {
        var lines = new List<string> { $"{HeadReading.Latin1(head.MethodBytes)} {HeadReading.Latin1(head.Target)} HTTP/1.{(head.IsHttp10 ? 0 : 1)}" };
        for (var i = 0; i < head.FieldCount; i++)
        {
            var (name, value) = head.Field(i);
            lines.Add($"{HeadReading.Latin1(name)}: {HeadReading.Latin1(value)}");
        }

        return lines;
    }

    /// <summary>What the lines say of the body's length; 0 when it comes in chunks.</summary>
    private static long Length(string[] lines)
    {
        const string field = "Content-Length: ";
        var line = Array.Find(lines, line => line.StartsWith(field, StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line.AsSpan(field.Length), CultureInfo.InvariantCulture);
    }

    private static void Inflate(Inflater inflater, ReadOnlySpan<byte> piece, Span<byte> output, MemoryStream data)
    {
        InflateStatus status;
        do
        {
            status = inflater.Next(piece, output, out var consumed, out var written);
            data.Write(output[..written]);
            piece = piece[consumed..];
        }
        while (status is InflateStatus.Output);
        Assert.Equal(InflateStatus.NeedMore, status);
    }

    private static string Decoded(ReadOnlySpan<byte> encoded)
    {
        var decoded = new byte[encoded.Length];
        return Encoding.UTF8.GetString(decoded, 0, PercentDecoding.Decode(encoded, decoded, plusIsSpace: true));
    }

    /// <summary>Compares a form as it comes out with what it says of itself, without keeping 64 MiB a second time.</summary>
    private sealed class FormReading : IDisposable
    {
        private readonly MultipartParser _parser = new();
        private readonly CrashForm _form;
        private int _parts;
        private ReadOnlyMemory<byte> _missing; // of the present part

        public FormReading(CrashForm form)
        {
            _form = form;
            _parser.Reset(Encoding.ASCII.GetBytes(form.Boundary));
        }

        public void Take(ReadOnlyMemory<byte> piece)
        {
            while (true)
            {
                var step = _parser.Next(piece, out var consumed);
                piece = piece[consumed..];
                switch (step)
                {
                    case MultipartEvent.PartBegin:
                        Assert.True(_parts < _form.Parts.Count, "A part too many.");
                        Assert.Equal(0, _missing.Length);
                        _missing = _form.Parts[_parts].Content;
                        AssertIsOf(_form.Parts[_parts++], _parser.Part);
                        break;
                    case MultipartEvent.Bytes:
                        var data = _parser.Data;
                        Assert.True(_missing.Span.StartsWith(data.Span), $"Other bytes in part {_parts}, {_missing.Length} before its end.");
                        _missing = _missing[data.Length..];
                        break;
                    case MultipartEvent.PartEnd:
                        Assert.Equal(0, _missing.Length);
                        break;
                    case MultipartEvent.Rejected:
                        Assert.Fail($"{_parser.Fault} in part {_parts}.");
                        break;
                    default:
                        Assert.True(piece.IsEmpty || step is MultipartEvent.End);
                        break;
                }

                if (step is MultipartEvent.NeedMore || (step is MultipartEvent.End && piece.IsEmpty))
                {
                    return;
                }
            }
        }

        public void Complete()
        {
            Assert.Equal(MultipartEvent.End, _parser.Complete());
            Assert.Equal(_form.Parts.Count, _parts);
            Assert.Equal(0, _missing.Length);
        }

        public void Dispose() => _parser.Dispose();

        private static void AssertIsOf(FormPart said, PartHeaders seen)
        {
            Assert.Equal(said.Name, Encoding.UTF8.GetString(seen.Name));
            Assert.Equal(said.FileName, seen.HasFileName ? Encoding.UTF8.GetString(seen.FileName) : null);
            Assert.Equal(said.ContentType ?? "", Encoding.UTF8.GetString(seen.ContentType));
        }
    }
}
