using System.Runtime.CompilerServices;
using FastListener.Load.Inputs;

namespace FastListener.Load.Sockets;

internal enum ConnectionState
{
    Closed,
    Connecting,
    Handshaking,
    Sending,
    Receiving,
    Idle,
    Waiting,
}

/// <summary>One client: its socket, the request it is sending and the answer it is reading.</summary>
internal sealed unsafe class LoadConnection(PopulationRun owner, int index)
{
    private const int MostPerSend = 1024 * 1024;
    private byte[] _prefix = [];
    private int _piece;
    private int _withinPiece;
    private long _sent;

    public PopulationRun Owner { get; } = owner;

    /// <summary>Its place in the loop's table, which is what the kernel hands back with an event.</summary>
    public int Index { get; } = index;

    public ConnectionState State { get; set; } = ConnectionState.Closed;

    public int Descriptor { get; set; } = -1;

    public nint Ssl { get; set; }

    /// <summary>The handshake has been counted.</summary>
    public bool Secured { get; set; }

    public ReplyReader Reply { get; } = new();

    public RequestTemplate? Request { get; private set; }

    public ulong Sequence { get; private set; }

    public long Due { get; private set; }

    public long Started { get; set; }

    /// <summary>When a waiting or paced connection may go on, in clock ticks.</summary>
    public long NotBefore { get; set; }

    public bool Queued { get; set; }

    public long Served { get; set; }

    public bool HasObject { get; set; }

    public byte[] ObjectId { get; } = new byte[RequestTemplate.ObjectIdLength];

    public bool AllSent => Request is null || _sent == Request.Length;

    public void Begin(RequestTemplate request, ulong sequence, long due)
    {
        Request = request;
        Sequence = sequence;
        Due = due;
        if (_prefix.Length < request.Prefix.Length)
        {
            _prefix = GC.AllocateUninitializedArray<byte>(request.Prefix.Length, pinned: true);
        }

        request.WritePrefix(_prefix, sequence, ObjectId);
        _sent = 0;
        _piece = 0;
        _withinPiece = 0;
        Reply.Reset();
    }

    /// <summary>Sends what the socket takes, at most <paramref name="budget"/> bytes. The answer is bytes sent, or a negative errno; 0 is "not now".</summary>
    public long Send(long budget)
    {
        if (Ssl != 0)
        {
            return SendSecured(budget);
        }

        const int MostVectors = 8;
        var vectors = stackalloc Libc.IoVector[MostVectors];
        var count = 0;
        var left = Math.Min(budget, MostPerSend);
        var request = Request!;
        if (_sent < request.Prefix.Length)
        {
            var take = Math.Min(left, request.Prefix.Length - _sent);
            vectors[count++] = new Libc.IoVector { Base = Address(_prefix) + _sent, Length = (nuint)take };
            left -= take;
        }

        var within = _withinPiece;
        for (var piece = _piece; piece < request.Pieces.Count && count < MostVectors && left > 0; piece++)
        {
            var bytes = request.Pieces[piece];
            var take = Math.Min(left, bytes.Length - within);
            vectors[count++] = new Libc.IoVector { Base = bytes.Bytes.Address + bytes.Offset + within, Length = (nuint)take };
            left -= take;
            within = 0;
        }

        var sent = Libc.Send(Descriptor, vectors, count);
        if (sent < 0)
        {
            var error = Libc.LastError;
            return error is Libc.EAgain or Libc.EInterrupted ? 0 : -error;
        }

        Advance(sent);
        return sent;
    }

    private long SendSecured(long budget)
    {
        long total = 0;
        while (total < Math.Min(budget, MostPerSend) && !AllSent)
        {
            byte* from;
            long length;
            if (_sent < Request!.Prefix.Length)
            {
                from = Address(_prefix) + _sent;
                length = Request.Prefix.Length - _sent;
            }
            else
            {
                var piece = Request.Pieces[_piece];
                from = piece.Bytes.Address + piece.Offset + _withinPiece;
                length = piece.Length - _withinPiece;
            }

            var sent = OpenSsl.Write(Ssl, from, (int)Math.Min(length, budget - total), out var error);
            if (sent <= 0)
            {
                return error is OpenSsl.WantRead or OpenSsl.WantWrite ? total : -1;
            }

            Advance(sent);
            total += sent;
        }

        return total;
    }

    private void Advance(long sent)
    {
        var prefix = Request!.Prefix.Length;
        var pieces = _sent >= prefix ? sent : Math.Max(0, _sent + sent - prefix);
        _sent += sent;
        while (pieces > 0)
        {
            var rest = Request.Pieces[_piece].Length - _withinPiece;
            if (pieces < rest)
            {
                _withinPiece += (int)pieces;
                return;
            }

            pieces -= rest;
            _piece++;
            _withinPiece = 0;
        }
    }

    /// <summary>Receives into the reply. Bytes received; 0 at the end of the stream; -1 for "not now"; otherwise a negative errno below -1.</summary>
    public int Receive(out bool drained)
    {
        var free = Reply.Free;
        var to = (byte*)Unsafe.AsPointer(ref free[0]);
        if (Ssl != 0)
        {
            drained = false;
            var read = OpenSsl.Read(Ssl, to, free.Length, out var error);
            if (read > 0)
            {
                return read;
            }

            return error switch { OpenSsl.WantRead or OpenSsl.WantWrite => -1, OpenSsl.ZeroReturn => 0, _ => -104 };
        }

        var got = (int)Libc.Receive(Descriptor, to, free.Length);
        drained = got > 0 && got < free.Length;
        if (got >= 0)
        {
            return got;
        }

        var failure = Libc.LastError;
        return failure is Libc.EAgain or Libc.EInterrupted ? -1 : -failure;
    }

    private static byte* Address(byte[] pinned) => (byte*)Unsafe.AsPointer(ref pinned[0]);
}
