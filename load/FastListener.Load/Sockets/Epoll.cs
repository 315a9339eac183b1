namespace FastListener.Load.Sockets;

/// <summary>A socket to which something happened.</summary>
/// <param name="Socket">Its descriptor when it was added: by now it may be closed, and another socket in its place.</param>
/// <param name="Index">What it was added with.</param>
/// <param name="Readable">It has bytes, its end, or an error to read.</param>
internal readonly record struct SocketEvent(int Socket, int Index, bool Readable);

/// <summary>Waits for all sockets at once. Events come on a change only, so whoever gets one goes on until the socket would block.</summary>
internal sealed unsafe class Epoll : IDisposable
{
    private const int Capacity = 256;
    private readonly byte[] _events = GC.AllocateArray<byte>(Capacity * 16, pinned: true);
    private readonly int _descriptor = Libc.EpollCreate();

    /// <summary>An event of the last <see cref="Wait"/>.</summary>
    public SocketEvent this[int i]
    {
        get
        {
            fixed (byte* events = _events)
            {
                var entry = events + (i * Libc.EpollEventSize);
                var flags = *(uint*)entry;
                var data = *(ulong*)(entry + Libc.EpollDataOffset);
                return new SocketEvent((int)(data >> 32), (int)(uint)data, (flags & (Libc.EpollIn | Libc.EpollHup | Libc.EpollErr | Libc.EpollRdHup)) != 0);
            }
        }
    }

    /// <summary>Watches a socket until it is closed. What it is ready for already is an event, too.</summary>
    public void Add(int socket, int index) =>
        _ = Libc.EpollAdd(_descriptor, socket, Libc.EpollIn | Libc.EpollOut | Libc.EpollRdHup | Libc.EpollEdge, ((ulong)(uint)socket << 32) | (uint)index);

    /// <summary>Waits until something happens, at most so long. The answer is how many events there are; below one there are none.</summary>
    public int Wait(long microseconds)
    {
        fixed (byte* events = _events)
        {
            return Libc.EpollWait(_descriptor, events, Capacity, microseconds);
        }
    }

    public void Dispose() => _ = Libc.Close(_descriptor);
}
