using System.Net.Sockets;

namespace FastListener.Hosting.Transport;

/// <summary>
/// Keeps newcomers from a socket that is about to be closed. A connection that the kernel establishes between the last accept and the close is reset, with
/// the request that its client may have sent already; one whose greeting got no answer has sent nothing, repeats it a second later, and is refused then, or
/// meets whoever listens next.
/// </summary>
internal static unsafe class Greetings
{
    private const int LevelSocket = 1; // SOL_SOCKET
    private const int AttachFilter = 26; // SO_ATTACH_FILTER
    private const byte Synchronize = 0x02; // the flag of a segment that begins a connection (RFC 9293 section 3.1)
    private const int FlagsAt = 13; // where the flags are in a TCP header, which is where a filter of a listening socket begins to look

    /// <summary>
    /// Has the kernel drop segments that would begin a connection (socket(7): SO_ATTACH_FILTER); handshakes that have begun go on. False: this system does
    /// not do so, or the socket is none of TCP.
    /// </summary>
    public static bool TryDrop(Socket listening)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            if (listening.AddressFamily is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
            {
                return false;
            }

            var instructions = stackalloc Instruction[]
            {
                new(0x30, 0, 0, FlagsAt), // ldb [13]
                new(0x45, 0, 1, Synchronize), // jset #2, next, the one after
                new(0x06, 0, 0, 0), // ret #0: drop
                new(0x06, 0, 0, uint.MaxValue), // ret #-1: keep all of it
            };
            var filter = new Filter(4, instructions);
            listening.SetRawSocketOption(LevelSocket, AttachFilter, new ReadOnlySpan<byte>(&filter, sizeof(Filter)));
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false; // not permitted here, or closed already
        }
    }

    /// <summary>struct sock_filter.</summary>
    private readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Operand);

    /// <summary>struct sock_fprog.</summary>
    private readonly struct Filter(ushort length, Instruction* first)
    {
        public readonly ushort Length = length;
        public readonly Instruction* First = first;
    }
}
