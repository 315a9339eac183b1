using System.Text;
using FastListener.Protocol.Http;

namespace FastListener.Protocol.Tests.Support;

/// <summary>Runs the chunk decoder over pieces and writes the outcome down as text.</summary>
internal static class ChunkReading
{
    public static string Outcome(byte[][] pieces)
    {
        var (status, fault, data, total) = Decode(new(), pieces);
        return status switch
        {
            ParseStatus.Done => $"Done at {total}: {Encoding.Latin1.GetString(data)}",
            ParseStatus.Rejected => $"{fault} at {total}",
            _ => $"NeedMore after {total}: {Encoding.Latin1.GetString(data)}",
        };
    }

    public static (ParseStatus Status, HttpFault Fault, byte[] Data, int Consumed) Decode(ChunkedDecoder decoder, byte[][] pieces)
    {
        decoder.Reset();
        var data = new MemoryStream();
        var total = 0;
        foreach (var piece in pieces)
        {
            ReadOnlySpan<byte> rest = piece;
            while (!rest.IsEmpty)
            {
                var status = decoder.Next(rest, out var consumed, out var start, out var length);
                data.Write(rest.Slice(start, length));
                Assert.True(start + length <= consumed);
                total += consumed;
                Assert.Equal(data.Length, decoder.DataBytes);
                if (status != ParseStatus.NeedMore)
                {
                    return (status, decoder.Fault, data.ToArray(), total);
                }

                Assert.True(consumed > 0);
                rest = rest[consumed..];
            }
        }

        return (ParseStatus.NeedMore, HttpFault.None, data.ToArray(), total);
    }
}
