using System.Text;
using FastListener.Fuzz.Checks;
using FastListener.Fuzz.Models;
using FastListener.Fuzz.Running;
using FastListener.Protocol.Http;

namespace FastListener.Fuzz.Targets;

/// <summary>
/// The request head parser over a connection's bytes: one head after another on one parser. Selectors: limits (1 byte), cut (2 bytes).
/// </summary>
internal sealed class HeadTarget : IFuzzTarget
{
    private static readonly HeadLimits[] Limits =
    [
        new(),
        new() { MaxHeadBytes = 64, MaxFields = 3, MaxTargetBytes = 12 },
        new() { MaxHeadBytes = 1500, MaxFields = 33, MaxTargetBytes = 1100 },
    ];

    private readonly Transcript _whole = new();
    private readonly Transcript _cut = new();
    private readonly Transcript _bytes = new();

    public string Name => "head";

    public void Run(ReadOnlySpan<byte> input)
    {
        var selectors = new FuzzInput(input);
        var limits = Limits[selectors.Byte() % Limits.Length];
        var cut = selectors.UInt16();
        var bytes = selectors.Rest;
        Read(bytes, Delivery.Whole, limits, _whole);
        Read(bytes, Delivery.CutAt(cut % (bytes.Length + 1)), limits, _cut);
        Read(bytes, Delivery.ByteByByte, limits, _bytes);
        Invariant.Same(_whole.Written, _cut.Written, "A head reads the same whole and cut in two.");
        Invariant.Same(_whole.Written, _bytes.Written, "A head reads the same whole and byte by byte.");
    }

    private static void Read(ReadOnlySpan<byte> bytes, Delivery delivery, HeadLimits limits, Transcript transcript)
    {
        transcript.Clear();
        using var parser = new RequestHeadParser(limits);
        var lent = new byte[bytes.Length];
        for (var at = 0; at < bytes.Length;)
        {
            var start = at;
            var status = Feed(parser, bytes, delivery, lent, ref at);
            transcript.Add((int)status);
            transcript.Add((int)parser.Fault);
            transcript.Add(at);
            Invariant.Holds(at - start <= limits.MaxHeadBytes, "No more bytes are taken than a head may have.");
            if (status != ParseStatus.Done)
            {
                Invariant.Holds((status == ParseStatus.Rejected) == (parser.Fault != HttpFault.None), "A rejected head has a fault and no other.");
                CheckFinal(parser, status);
                return;
            }

            Describe(parser.Head, transcript);
            HeadModel.Check(parser.Head, bytes[start..at], limits);
            CheckFinal(parser, status);
            parser.Reset();
            Invariant.Holds(!parser.Started && parser.Fault == HttpFault.None, "A parser that was reset has not started.");
        }
    }

    private static ParseStatus Feed(RequestHeadParser parser, ReadOnlySpan<byte> bytes, Delivery delivery, byte[] lent, ref int at)
    {
        var start = at;
        while (at < bytes.Length)
        {
            var piece = lent.AsSpan(0, delivery.Next(at, bytes.Length));
            bytes.Slice(at, piece.Length).CopyTo(piece);
            var status = parser.Append(piece, out var consumed);
            piece.Fill(0xCC); // the parser may not look at it again
            Invariant.Holds(consumed >= 0 && consumed <= piece.Length, "No more is consumed than was given.");
            at += consumed;
            if (status != ParseStatus.NeedMore)
            {
                return status;
            }

            Invariant.Holds(consumed == piece.Length, "A parser that needs more has taken everything.");
            Invariant.Holds(parser.Started == at > start, "A parser has started once it has taken a byte.");
            Invariant.Holds(parser.Append([], out consumed) == ParseStatus.NeedMore && consumed == 0, "No bytes change nothing.");
        }

        return ParseStatus.NeedMore;
    }

    private static void CheckFinal(RequestHeadParser parser, ParseStatus status)
    {
        if (status != ParseStatus.NeedMore)
        {
            var fault = parser.Fault;
            var again = parser.Append("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"u8, out var consumed);
            Invariant.Holds(again == status && consumed == 0 && parser.Fault == fault, "Done and Rejected are final.");
        }
    }

    private static void Describe(RequestHead head, Transcript transcript)
    {
        transcript.Add((int)head.Method);
        transcript.Add(head.MethodBytes);
        transcript.Add(head.Target);
        transcript.Add(head.PathAndQuery);
        transcript.Add(head.IsHttp10);
        transcript.Add((int)head.Framing.Kind);
        transcript.Add(head.Framing.Length);
        transcript.Add(head.KeepAlive);
        transcript.Add(head.ExpectContinue);
        transcript.Add((int)head.ContentCoding);
        transcript.Add(head.ContentType);
        for (var i = 0; i < head.FieldCount; i++)
        {
            var (name, value) = head.Field(i);
            transcript.Add(name);
            transcript.Add(value);
        }
    }
}
