using System.Buffers;
using System.IO.Pipelines;
using FastListener.Protocol.Http;
using FastListener.Protocol.Multipart;

namespace FastListener.Peers.Parse;

/// <summary>The requests of one connection, one after the other, as they arrive: read, forgotten, answered.</summary>
internal sealed class ForgottenForms(PipeWriter output) : IDisposable
{
    private const int Unusable = -1;

    private readonly RequestHeadParser _heads = new();
    private readonly MultipartParser _parts = new();
    private readonly byte[] _boundary = new byte[Boundary.MaxBytes];
    private long _left; // of the body under way; 0: a head is awaited

    private static ReadOnlySpan<byte> Answer =>
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 64\r\nConnection: keep-alive\r\n\r\n{\"response\":\"ok\",\"_rxid\":\"00000000-0000-0000-0000-000000000000\"}"u8;

    /// <summary>Takes all of what has arrived. False: that is no form.</summary>
    public bool Take(ReadOnlySequence<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var taken = _left == 0 ? TakeHead(bytes.FirstSpan) : TakeBody(bytes.First);
            if (taken == Unusable)
            {
                return false;
            }

            bytes = bytes.Slice(taken);
        }

        return true;
    }

    public void Dispose()
    {
        _heads.Dispose();
        _parts.Dispose();
    }

    private int TakeHead(ReadOnlySpan<byte> bytes)
    {
        var status = _heads.Append(bytes, out var consumed);
        if (status is ParseStatus.NeedMore)
        {
            return consumed;
        }

        if (status is ParseStatus.Rejected || _heads.Head.Framing is not { Kind: FramingKind.Length, Length: > 0 }
            || !Boundary.TryRead(_heads.Head.ContentType, _boundary, out var length))
        {
            return Unusable;
        }

        _parts.Reset(_boundary.AsSpan(0, length));
        _left = _heads.Head.Framing.Length;
        return consumed;
    }

    private int TakeBody(ReadOnlyMemory<byte> bytes)
    {
        var slice = bytes[..(int)Math.Min(bytes.Length, _left)];
        _left -= slice.Length;
        if (!Forget(slice) || (_left == 0 && _parts.Complete() is not MultipartEvent.End))
        {
            return Unusable;
        }

        if (_left == 0)
        {
            WriteAnswer();
            _heads.Reset();
        }

        return slice.Length;
    }

    private bool Forget(ReadOnlyMemory<byte> slice)
    {
        while (true)
        {
            var step = _parts.Next(slice, out var consumed);
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

    private void WriteAnswer()
    {
        var span = output.GetSpan(Answer.Length);
        Answer.CopyTo(span);
        output.Advance(Answer.Length);
    }
}
