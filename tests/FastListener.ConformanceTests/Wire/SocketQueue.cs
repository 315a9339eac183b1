using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace FastListener.ConformanceTests.Wire;

/// <summary>
/// Asks the kernel (sock_diag(7)) how much of what was sent the other end of a loopback connection has not read yet: one look-up of
/// one connection, whatever else is open. So a cut is a cut for certain, without a pause.
/// </summary>
internal static partial class SocketQueue
{
    private const int NetlinkFamily = 16;
    private const int SocketDiagnosis = 4;
    private const int ByFamily = 20;
    private const int RequestBytes = 72;
    private const int QueueOffset = 72;

    [ThreadStatic]
    private static int s_descriptor;

    /// <summary>Whether the peer of <paramref name="socket"/> has read everything, or is gone.</summary>
    public static bool IsTaken(Socket socket) =>
        UnreadBytes((IPEndPoint)socket.RemoteEndPoint!, (IPEndPoint)socket.LocalEndPoint!) == 0;

    private static uint UnreadBytes(IPEndPoint owner, IPEndPoint peer)
    {
        if (s_descriptor == 0)
        {
            s_descriptor = Open(NetlinkFamily, (int)SocketType.Dgram, SocketDiagnosis);
            if (s_descriptor < 0)
            {
                throw new InvalidOperationException($"No sock_diag: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }

        Span<byte> request = stackalloc byte[RequestBytes];
        request.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(request, RequestBytes);
        BinaryPrimitives.WriteInt16LittleEndian(request[4..], ByFamily);
        request[6] = 1; // NLM_F_REQUEST
        request[16] = (byte)AddressFamily.InterNetwork;
        request[17] = (byte)ProtocolType.Tcp;
        request[20..24].Fill(0xFF); // any state
        BinaryPrimitives.WriteUInt16BigEndian(request[24..], (ushort)owner.Port);
        BinaryPrimitives.WriteUInt16BigEndian(request[26..], (ushort)peer.Port);
        owner.Address.TryWriteBytes(request[28..], out _);
        peer.Address.TryWriteBytes(request[44..], out _);
        request[64..72].Fill(0xFF); // no cookie

        Span<byte> answer = stackalloc byte[512];
        if (Send(s_descriptor, request, request.Length, 0) < 0 || Receive(s_descriptor, answer, answer.Length, 0) is var length && length < 0)
        {
            throw new InvalidOperationException($"sock_diag failed: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        // Anything but an answer is "no such connection".
        return BinaryPrimitives.ReadInt16LittleEndian(answer[4..]) == ByFamily && length >= QueueOffset + 4
            ? BinaryPrimitives.ReadUInt32LittleEndian(answer[QueueOffset..])
            : 0;
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Open(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(int descriptor, ReadOnlySpan<byte> bytes, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(int descriptor, Span<byte> bytes, nint length, int flags);
}
