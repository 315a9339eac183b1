using FastListener.Fuzz.Checks;
using FastListener.Fuzz.Models;
using FastListener.Fuzz.Running;
using FastListener.Protocol.Http;

namespace FastListener.Fuzz.Targets;

/// <summary>The chunk decoder: over the bytes as they are, and over the bytes as data of an encoder. Selectors: cut (2 bytes), style (1 byte).</summary>
internal sealed class ChunkedTarget : IFuzzTarget
{
    private readonly ChunkedDecoder _decoder = new();
    private readonly Transcript _whole = new();
    private readonly Transcript _other = new();

    public string Name => "chunked";

    public void Run(ReadOnlySpan<byte> input)
    {
        var selectors = new FuzzInput(input);
        var cut = selectors.UInt16();
        var style = selectors.Byte();
        var bytes = selectors.Rest;
        var (status, consumed) = ReadEveryWay(bytes, cut);
        var data = _whole.Written;
        if (ChunkedModel.Applies(bytes))
        {
            var model = ChunkedModel.Read(bytes, out var length, out var expected);
            Invariant.Holds(model == (status == ParseStatus.Done), "Decoder and model agree on whether this is a whole chunked body.");
            Invariant.Holds(!model || length == consumed, "Decoder and model agree on where the body ends.");
            Invariant.Holds(!model || data.SequenceEqual(expected), "Decoder and model agree on the data.");
        }

        var encoded = ChunkedModel.Write(bytes, style);
        var end = encoded.Length;
        Array.Resize(ref encoded, end + 3);
        "GET"u8.CopyTo(encoded.AsSpan(end));
        (status, consumed) = ReadEveryWay(encoded, cut);
        Invariant.Holds(status == ParseStatus.Done && consumed == end, "What was encoded is decoded to its end and no further.");
        Invariant.Same(_whole.Written, bytes, "What was encoded comes out again.");
    }

    private (ParseStatus Status, int Consumed) ReadEveryWay(ReadOnlySpan<byte> bytes, int cut)
    {
        var whole = Read(bytes, Delivery.Whole, _whole);
        var fault = _decoder.Fault;
        var twice = Read(bytes, Delivery.CutAt(cut % (bytes.Length + 1)), _other);
        Invariant.Holds(whole == twice && fault == _decoder.Fault, "A chunked body ends the same whole and cut in two.");
        Invariant.Same(_whole.Written, _other.Written, "A chunked body holds the same whole and cut in two.");
        var each = Read(bytes, Delivery.ByteByByte, _other);
        Invariant.Holds(whole == each && fault == _decoder.Fault, "A chunked body ends the same whole and byte by byte.");
        Invariant.Same(_whole.Written, _other.Written, "A chunked body holds the same whole and byte by byte.");
        return whole;
    }

    private (ParseStatus Status, int Consumed) Read(ReadOnlySpan<byte> bytes, Delivery delivery, Transcript data)
    {
        data.Clear();
        _decoder.Reset();
        var status = ParseStatus.NeedMore;
        var at = 0;
        while (at < bytes.Length && status == ParseStatus.NeedMore)
        {
            var piece = bytes.Slice(at, delivery.Next(at, bytes.Length));
            while (!piece.IsEmpty && status == ParseStatus.NeedMore)
            {
                status = _decoder.Next(piece, out var consumed, out var start, out var length);
                Invariant.Holds(start >= 0 && length >= 0 && start + length <= consumed && consumed <= piece.Length, "Data lies within what was consumed.");
                Invariant.Holds(consumed > 0 || status == ParseStatus.Rejected, "Every call takes something.");
                data.AddRaw(piece.Slice(start, length));
                Invariant.Holds(_decoder.DataBytes == data.Length, "Data is counted as it is handed out.");
                piece = piece[consumed..];
                at += consumed;
            }
        }

        Invariant.Holds((status == ParseStatus.Rejected) == (_decoder.Fault != HttpFault.None), "A rejected body has a fault and no other.");
        if (status != ParseStatus.NeedMore)
        {
            var again = _decoder.Next("5\r\nhello\r\n0\r\n\r\n"u8, out var consumed, out _, out var length);
            Invariant.Holds(again == status && consumed == 0 && length == 0, "Done and Rejected are final.");
        }

        return (status, at);
    }
}
