using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using FastListener.Protocol.Http;
using FastListener.Protocol.Multipart;
using Microsoft.AspNetCore.Connections;

namespace FastListener.Peers.Parse;

/// <summary>
/// FastListener's transport and its two parsers, and nothing behind them: every part's headers and bytes are read and forgotten, as the peer beside it does.
/// No tokens, limits of time, attributes, checksums, ledger or store. Takes forms with a Content-Length; anything else ends the connection.
/// </summary>
internal sealed class ForgettingHandler : ConnectionHandler
{
    private static ReadOnlySpan<byte> Answer => "{\"response\":\"ok\",\"_rxid\":\"00000000-0000-0000-0000-000000000000\"}"u8;

    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        using var heads = new RequestHeadParser();
        using var parts = new MultipartParser();
        var boundary = new byte[Boundary.MaxBytes];
        var input = connection.Transport.Input;
        var output = connection.Transport.Output;
        var inBody = false;
        var left = 0L;
        while (true)
        {
            var read = await input.ReadAsync();
            var rest = read.Buffer;
            if (rest.IsEmpty && read.IsCompleted)
            {
                return;
            }

            while (!rest.IsEmpty)
            {
                if (!inBody)
                {
                    var status = heads.Append(rest.FirstSpan, out var consumed);
                    rest = rest.Slice(consumed);
                    if (status is ParseStatus.NeedMore)
                    {
                        continue;
                    }

                    if (status is ParseStatus.Rejected || heads.Head.Framing is not { Kind: FramingKind.Length, Length: > 0 }
                        || !Boundary.TryRead(heads.Head.ContentType, boundary, out var length))
                    {
                        return;
                    }

                    parts.Reset(boundary.AsSpan(0, length));
                    (inBody, left) = (true, heads.Head.Framing.Length);
                    continue;
                }

                var slice = rest.First[..(int)Math.Min(rest.First.Length, left)];
                if (!Forget(parts, slice))
                {
                    return;
                }

                left -= slice.Length;
                rest = rest.Slice(slice.Length);
                if (left == 0)
                {
                    if (parts.Complete() is not MultipartEvent.End)
                    {
                        return;
                    }

                    WriteAnswer(output);
                    heads.Reset();
                    inBody = false;
                }
            }

            input.AdvanceTo(read.Buffer.End);
            if (!inBody && output.UnflushedBytes > 0 && (await output.FlushAsync()).IsCompleted)
            {
                return;
            }
        }
    }

    /// <summary>Reads the parts in a slice of the body. False when it is no form.</summary>
    private static bool Forget(MultipartParser parts, ReadOnlyMemory<byte> slice)
    {
        while (true)
        {
            var step = parts.Next(slice, out var consumed);
            slice = slice[consumed..];
            if (step is MultipartEvent.Rejected)
            {
                return false;
            }

            if (step is MultipartEvent.NeedMore || (step is MultipartEvent.End && slice.IsEmpty))
            {
                return true;
            }
        }
    }

    private static void WriteAnswer(PipeWriter output)
    {
        output.Write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "u8);
        var digits = output.GetSpan(8);
        Utf8Formatter.TryFormat(Answer.Length, digits, out var written);
        output.Advance(written);
        output.Write("\r\nConnection: keep-alive\r\n\r\n"u8);
        output.Write(Answer);
    }
}
