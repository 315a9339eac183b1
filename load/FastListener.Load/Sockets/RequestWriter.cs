using System.Runtime.CompilerServices;

namespace FastListener.Load.Sockets;

/// <summary>How far one client is with sending its request: first its own copy of the prefix, then the pieces that all share.</summary>
internal sealed unsafe class RequestWriter
{
    private byte[] _prefix = [];
    private RequestTemplate? _request;
    private int _piece;
    private int _withinPiece;
    private long _sent;

    public bool AllSent => _request is null || _sent == _request.Length;

    public void Begin(RequestTemplate request, ulong sequence, ReadOnlySpan<byte> objectId)
    {
        _request = request;
        if (_prefix.Length < request.Prefix.Length)
        {
            _prefix = GC.AllocateUninitializedArray<byte>(request.Prefix.Length, pinned: true);
        }

        request.WritePrefix(_prefix, sequence, objectId);
        _sent = 0;
        _piece = 0;
        _withinPiece = 0;
    }

    /// <summary>Points vectors at what is to be sent next, at most <paramref name="budget"/> bytes. The answer is how many vectors; the bytes stay where they are.</summary>
    public int Gather(Libc.IoVector* vectors, int capacity, long budget)
    {
        var count = 0;
        var left = budget;
        var request = _request!;
        if (_sent < request.Prefix.Length)
        {
            var take = Math.Min(left, request.Prefix.Length - _sent);
            vectors[count++] = new Libc.IoVector { Base = (byte*)Unsafe.AsPointer(ref _prefix[0]) + _sent, Length = (nuint)take };
            left -= take;
        }

        var within = _withinPiece;
        for (var piece = _piece; piece < request.Pieces.Count && count < capacity && left > 0; piece++)
        {
            var bytes = request.Pieces[piece];
            var take = Math.Min(left, bytes.Length - within);
            vectors[count++] = new Libc.IoVector { Base = bytes.Bytes.Address + bytes.Offset + within, Length = (nuint)take };
            left -= take;
            within = 0;
        }

        return count;
    }

    /// <summary>So many of the gathered bytes were sent.</summary>
    public void Advance(long sent)
    {
        var prefix = _request!.Prefix.Length;
        var pieces = _sent >= prefix ? sent : Math.Max(0, _sent + sent - prefix);
        _sent += sent;
        while (pieces > 0)
        {
            var rest = _request.Pieces[_piece].Length - _withinPiece;
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
}
