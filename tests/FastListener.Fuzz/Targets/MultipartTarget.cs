using FastListener.Fuzz.Checks;
using FastListener.Fuzz.Models;
using FastListener.Fuzz.Running;
using FastListener.Protocol.Multipart;

namespace FastListener.Fuzz.Targets;

/// <summary>
/// The multipart parser. Selectors: limits (1 byte), cut (2 bytes); then a Content-Type up to the first LF, which names the boundary, and the body.
/// </summary>
internal sealed class MultipartTarget : IFuzzTarget, IDisposable
{
    private static readonly MultipartLimits[] Limits = [new(), new() { MaxParts = 2, MaxPartHeadBytes = 60, MaxPreambleBytes = 8 }];

    private readonly MultipartParser[] _parsers = [new(Limits[0]), new(Limits[1])];
    private readonly Transcript _whole = new();
    private readonly Transcript _other = new();
    private readonly List<Range> _parts = [];
    private readonly byte[] _boundary = new byte[Boundary.MaxBytes];
    private byte[] _lent = [];

    public string Name => "multipart";

    public void Run(ReadOnlySpan<byte> input)
    {
        var selectors = new FuzzInput(input);
        var parser = _parsers[selectors.Byte() % _parsers.Length];
        var cut = selectors.UInt16();
        var line = selectors.Rest.IndexOf((byte)'\n');
        var contentType = line < 0 ? selectors.Rest : selectors.Rest[..line];
        var body = line < 0 ? default : selectors.Rest[(line + 1)..];
        _boundary.AsSpan().Clear();
        if (!Boundary.TryRead(contentType, _boundary, out var length))
        {
            Invariant.Holds(length == 0, "There is no length without a boundary.");
            return;
        }

        var boundary = _boundary.AsSpan(0, length);
        Invariant.Holds(Boundary.IsMultipart(contentType) && length > 0 && !boundary.ContainsAny("\r\n\0"u8), "A boundary that was read is usable.");
        var fault = Read(parser, boundary, body, Delivery.Whole, _whole);
        Compare(MultipartModel.Read(boundary, body), fault);
        Invariant.Holds(fault == Read(parser, boundary, body, Delivery.CutAt(cut % (body.Length + 1)), _other), "A body ends the same whole and cut in two.");
        Invariant.Same(_whole.Written, _other.Written, "A body reads the same whole and cut in two.");
        Invariant.Holds(fault == Read(parser, boundary, body, Delivery.ByteByByte, _other), "A body ends the same whole and byte by byte.");
        Invariant.Same(_whole.Written, _other.Written, "A body reads the same whole and byte by byte.");
        RoundTrip(boundary, body, cut);
    }

    public void Dispose() => Array.ForEach(_parsers, parser => parser.Dispose());

    /// <summary>Any bytes without a delimiter are a part's contents, and come out as they went in.</summary>
    private void RoundTrip(ReadOnlySpan<byte> boundary, ReadOnlySpan<byte> data, int cut)
    {
        byte[] body = [.. "--"u8, .. boundary, .. "\r\nContent-Disposition: form-data; name=\"d\"\r\n\r\n"u8, .. data, .. "\r\n--"u8, .. boundary, .. "--\r\n"u8];
        if (MultipartModel.Read(boundary, body).Parts is not [var only] || only.Length != data.Length)
        {
            return; // the data ends early: it holds a delimiter
        }

        var fault = Read(_parsers[0], boundary, body, Delivery.CutAt(cut % (body.Length + 1)), _other);
        Invariant.Holds(fault == MultipartFault.None && _parts.Count == 1, "A part without a delimiter in it is one part.");
        Invariant.Same(_other.Written[_parts[0]], data, "A part's data comes out as it went in.");
    }

    private void Compare(MultipartModel model, MultipartFault fault)
    {
        if (fault is MultipartFault.None)
        {
            Invariant.Holds(model.IsComplete && model.Parts.Count == _parts.Count, "Parser and model agree on the parts of a whole body.");
            for (var i = 0; i < _parts.Count; i++)
            {
                Invariant.Same(_whole.Written[_parts[i]], model.Parts[i], "Parser and model agree on a part's data.");
            }
        }
        else if (fault is MultipartFault.Truncated or MultipartFault.MissingFirstDelimiter)
        {
            Invariant.Holds(!model.IsComplete && model.FoundDelimiter == (fault is MultipartFault.Truncated), "Parser and model agree on what is missing.");
        }
    }

    private MultipartFault Read(MultipartParser parser, ReadOnlySpan<byte> boundary, ReadOnlySpan<byte> body, Delivery delivery, Transcript transcript)
    {
        transcript.Clear();
        _parts.Clear();
        parser.Reset(boundary);
        if (_lent.Length < body.Length)
        {
            _lent = new byte[body.Length];
        }

        var reading = new Reading(transcript, _parts);
        for (var at = 0; at < body.Length && !reading.Rejected;)
        {
            var piece = _lent.AsMemory(0, delivery.Next(at, body.Length));
            body.Slice(at, piece.Length).CopyTo(piece.Span);
            at += piece.Length;
            for (var rest = piece; ;)
            {
                var found = parser.Next(rest, out var consumed);
                Invariant.Holds(consumed >= 0 && consumed <= rest.Length, "No more is consumed than was given.");
                reading.Take(found, consumed, parser);
                if (found is MultipartEvent.NeedMore or MultipartEvent.Rejected)
                {
                    Invariant.Holds(found is MultipartEvent.Rejected || consumed == rest.Length, "A parser that needs more has taken everything.");
                    break;
                }

                rest = rest[consumed..];
            }

            piece.Span.Fill(0xCC); // the parser may not look at it again
        }

        var last = parser.Complete();
        Invariant.Holds(last is MultipartEvent.End or MultipartEvent.Rejected, "A body is complete or it is not.");
        Invariant.Holds(last is MultipartEvent.Rejected == parser.Fault is not MultipartFault.None, "A rejected body has a fault and no other.");
        Invariant.Holds(!reading.Ended || last is MultipartEvent.End, "A body that has ended stays ended.");
        Invariant.Holds(!reading.Rejected || last is MultipartEvent.Rejected, "A body that was rejected stays rejected.");
        if (last is MultipartEvent.Rejected)
        {
            var again = parser.Next("--B\r\n\r\n\r\n--B--"u8.ToArray(), out var consumed);
            Invariant.Holds(again is MultipartEvent.Rejected && consumed == 0, "Rejected is final.");
        }

        Invariant.Holds(reading.DataBytes <= body.Length, "No byte is handed out twice.");
        transcript.CutAt(reading.EndOfLastPart); // how much of an unfinished part came out may depend on the cuts
        transcript.Add(parser.PartCount);
        return parser.Fault;
    }

    /// <summary>What has been read of one body.</summary>
    private sealed class Reading(Transcript transcript, List<Range> parts)
    {
        private int _dataStart = -1;
        private int _idle;

        public bool Ended { get; private set; }

        public bool Rejected { get; private set; }

        public long DataBytes { get; private set; }

        public int EndOfLastPart { get; private set; }

        public void Take(MultipartEvent found, int consumed, MultipartParser parser)
        {
            _idle = consumed > 0 ? 0 : _idle + 1;
            Invariant.Holds(_idle <= 5, "A parser moves on.");
            Invariant.Holds(parser.Data.IsEmpty == found is not MultipartEvent.Bytes, "Data comes with its event only, and never empty.");
            switch (found)
            {
                case MultipartEvent.PartBegin:
                    Invariant.Holds(_dataStart < 0 && !Ended, "A part begins when the one before has ended.");
                    PartReading.Describe(parser.Part, transcript);
                    _dataStart = transcript.Length;
                    break;
                case MultipartEvent.Bytes:
                    Invariant.Holds(_dataStart >= 0, "Data belongs to a part.");
                    transcript.AddRaw(parser.Data.Span);
                    DataBytes += parser.Data.Length;
                    break;
                case MultipartEvent.PartEnd:
                    Invariant.Holds(_dataStart >= 0, "A part ends once.");
                    parts.Add(_dataStart..transcript.Length);
                    transcript.Add(transcript.Length - _dataStart);
                    _dataStart = -1;
                    EndOfLastPart = transcript.Length;
                    break;
                case MultipartEvent.End:
                    Invariant.Holds(_dataStart < 0 && !Ended, "A body ends once, between parts.");
                    Ended = true;
                    break;
                case MultipartEvent.Rejected:
                    Rejected = true;
                    break;
            }
        }
    }
}
