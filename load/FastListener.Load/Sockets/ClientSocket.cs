using System.Runtime.CompilerServices;

namespace FastListener.Load.Sockets;

/// <summary>A client's non-blocking socket, plain or with TLS over it. It can be opened anew when it has been closed.</summary>
internal sealed unsafe class ClientSocket(Dialer dialer, int index)
{
    private const int MostPerSend = 1024 * 1024;
    private int _descriptor = -1;
    private nint _ssl;

    public bool IsOpen => _descriptor >= 0;

    /// <summary>TLS may hold bytes that it has read from the kernel already: no event will tell of them.</summary>
    public bool IsSecured => _ssl != 0;

    /// <summary>The handshake that succeeded resumed an earlier session.</summary>
    public bool WasResumed => OpenSsl.WasResumed(_ssl);

    /// <summary>The errno with which connecting failed; 0 when it did not.</summary>
    public int ConnectError => Libc.SocketError(_descriptor);

    /// <summary>The event is this socket's, not one of a socket closed since.</summary>
    public bool Is(int descriptor) => _descriptor == descriptor;

    /// <summary>False when no socket was to be had; <paramref name="failure"/> is an errno then.</summary>
    public bool Open(bool ownSource, out bool connected, out int failure)
    {
        _descriptor = dialer.Dial(index, ownSource, out connected, out failure);
        return IsOpen;
    }

    /// <summary>Puts TLS over a socket that has connected, where the target wants it; false where it does not.</summary>
    public bool StartTls(bool resume)
    {
        if (dialer.Tls is not { } tls)
        {
            return false;
        }

        _ssl = tls.Open(_descriptor, resume);
        return true;
    }

    /// <summary>True when the handshake is done; otherwise it would block or, when there is a <paramref name="failure"/>, has failed.</summary>
    public bool Handshake(out string? failure)
    {
        failure = null;
        if (OpenSsl.Handshake(_ssl, out var error) == 1)
        {
            return true;
        }

        if (error is not (OpenSsl.WantRead or OpenSsl.WantWrite))
        {
            failure = OpenSsl.Explain();
        }

        return false;
    }

    /// <summary>Sends what the socket takes, about <paramref name="budget"/> bytes at most. Bytes sent; 0 is "not now"; negative when the connection is broken.</summary>
    public long Send(RequestWriter request, long budget)
    {
        if (IsSecured)
        {
            return SendSecured(request, budget);
        }

        const int MostVectors = 8;
        var vectors = stackalloc Libc.IoVector[MostVectors];
        var sent = Libc.Send(_descriptor, vectors, request.Gather(vectors, MostVectors, Math.Min(budget, MostPerSend)));
        if (sent < 0)
        {
            var error = Libc.LastError;
            return error is Libc.EAgain or Libc.EInterrupted ? 0 : -error;
        }

        request.Advance(sent);
        return sent;
    }

    private long SendSecured(RequestWriter request, long budget)
    {
        long total = 0;
        while (total < Math.Min(budget, MostPerSend) && !request.AllSent)
        {
            Libc.IoVector next;
            _ = request.Gather(&next, 1, budget - total);
            var sent = OpenSsl.Write(_ssl, next.Base, (int)next.Length, out var error);
            if (sent <= 0)
            {
                return error is OpenSsl.WantRead or OpenSsl.WantWrite ? total : -1;
            }

            request.Advance(sent);
            total += sent;
        }

        return total;
    }

    /// <summary>Bytes received; 0 at the end of the stream; -1 for "not now"; otherwise a negative errno below -1.</summary>
    /// <param name="to">Pinned memory.</param>
    /// <param name="drained">Nothing more lies in the kernel.</param>
    public int Receive(Span<byte> to, out bool drained)
    {
        var address = (byte*)Unsafe.AsPointer(ref to[0]);
        if (IsSecured)
        {
            drained = false;
            var read = OpenSsl.Read(_ssl, address, to.Length, out var error);
            if (read > 0)
            {
                return read;
            }

            return error switch { OpenSsl.WantRead or OpenSsl.WantWrite => -1, OpenSsl.ZeroReturn => 0, _ => -104 };
        }

        var got = (int)Libc.Receive(_descriptor, address, to.Length);
        drained = got > 0 && got < to.Length;
        if (got >= 0)
        {
            return got;
        }

        var failure = Libc.LastError;
        return failure is Libc.EAgain or Libc.EInterrupted ? -1 : -failure;
    }

    /// <param name="orderly">The exchange went well: say goodbye, and keep the TLS session for the next connection.</param>
    public void Close(bool orderly)
    {
        if (IsSecured)
        {
            if (orderly)
            {
                dialer.Tls!.Keep(_ssl);
            }

            OpenSsl.Close(_ssl, orderly);
            _ssl = 0;
        }

        if (IsOpen)
        {
            _ = Libc.Close(_descriptor);
            _descriptor = -1;
        }
    }
}
