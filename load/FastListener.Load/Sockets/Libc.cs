using System.Runtime.InteropServices;

namespace FastListener.Load.Sockets;

/// <summary>The few system calls the connection loop makes. Linux, x64 and arm64.</summary>
internal static unsafe partial class Libc
{
    public const int EAgain = 11;
    public const int EInterrupted = 4;
    public const int EInProgress = 115;

    public const uint EpollIn = 1;
    public const uint EpollOut = 4;
    public const uint EpollErr = 8;
    public const uint EpollHup = 16;
    public const uint EpollRdHup = 0x2000;
    public const uint EpollEdge = 1u << 31;

    private const int AfInet = 2;
    private const int SockStream = 1;
    private const int SockNonBlock = 0x800;
    private const int SockCloExec = 0x80000;
    private const int MsgNoSignal = 0x4000;
    private const int MsgDontWait = 0x40;

    private static readonly bool s_packed = RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>The kernel packs struct epoll_event on x64 only.</summary>
    public static int EpollEventSize => s_packed ? 12 : 16;

    public static int EpollDataOffset => s_packed ? 4 : 8;

    [StructLayout(LayoutKind.Sequential)]
    public struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct SockAddressIn
    {
        public ushort Family;
        public ushort Port;
        public uint Address;
        public ulong Zero;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    public static int LastError => Marshal.GetLastPInvokeError();

    /// <summary>A connecting, non-blocking TCP socket with Nagle off; <paramref name="failure"/> is an errno when the answer is -1.</summary>
    public static int Connect(uint address, ushort port, uint sourceAddress, out bool connected, out int failure)
    {
        connected = false;
        failure = 0;
        var fd = socket(AfInet, SockStream | SockNonBlock | SockCloExec, 0);
        if (fd < 0)
        {
            failure = LastError;
            return -1;
        }

        var one = 1;
        _ = setsockopt(fd, 6, 1, &one, sizeof(int)); // TCP_NODELAY
        if (sourceAddress != 0)
        {
            _ = setsockopt(fd, 0, 24, &one, sizeof(int)); // IP_BIND_ADDRESS_NO_PORT: the port is found at connect, per destination
            var from = new SockAddressIn { Family = AfInet, Address = sourceAddress };
            _ = bind(fd, &from, (uint)sizeof(SockAddressIn));
        }

        var to = new SockAddressIn { Family = AfInet, Port = (ushort)((port >> 8) | (port << 8)), Address = address };
        if (connect(fd, &to, (uint)sizeof(SockAddressIn)) == 0)
        {
            connected = true;
            return fd;
        }

        failure = LastError;
        if (failure == EInProgress)
        {
            failure = 0;
            return fd;
        }

        _ = Close(fd);
        return -1;
    }

    public static int SocketError(int fd)
    {
        var error = 0;
        var length = (uint)sizeof(int);
        _ = getsockopt(fd, 1, 4, &error, &length); // SOL_SOCKET, SO_ERROR
        return error;
    }

    public static nint Send(int fd, IoVector* vectors, int count)
    {
        var message = new MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
        return sendmsg(fd, &message, MsgNoSignal | MsgDontWait);
    }

    public static nint Receive(int fd, byte* buffer, int length) => recv(fd, buffer, (nuint)length, MsgDontWait);

    public static int EpollCreate() => epoll_create1(0x80000);

    public static int EpollAdd(int epoll, int fd, uint events, ulong data)
    {
        var entry = stackalloc byte[16];
        *(uint*)entry = events;
        *(ulong*)(entry + EpollDataOffset) = data;
        return epoll_ctl(epoll, 1, fd, entry);
    }

    /// <summary>Waits with microsecond precision; a negative answer is an error.</summary>
    public static int EpollWait(int epoll, byte* events, int capacity, long microseconds)
    {
        var wait = new TimeSpec { Seconds = microseconds / 1_000_000, Nanoseconds = microseconds % 1_000_000 * 1000 };
        return epoll_pwait2(epoll, events, capacity, &wait, null);
    }

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(int fd, int level, int name, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getsockopt(int fd, int level, int name, void* value, uint* length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int bind(int fd, SockAddressIn* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(int fd, SockAddressIn* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(int fd, MessageHeader* message, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(int fd, byte* buffer, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int fd, byte* entry);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_pwait2(int epoll, byte* events, int capacity, TimeSpec* wait, void* signals);
}
