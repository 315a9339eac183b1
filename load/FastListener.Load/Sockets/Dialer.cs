using System.Buffers.Binary;

namespace FastListener.Load.Sockets;

/// <summary>What all clients' sockets share: the target, the epoll that watches them, and the TLS context with the session to resume.</summary>
internal sealed class Dialer(LoopbackTarget target, Epoll epoll) : IDisposable
{
    private readonly uint _address = BinaryPrimitives.ReadUInt32LittleEndian(target.Address.GetAddressBytes());
    private int _sourceTurn;

    /// <summary>Null when the target speaks plain HTTP.</summary>
    public OpenSsl? Tls { get; } = target.Tls ? new OpenSsl() : null;

    /// <summary>A socket that connects, or has done so at once; -1, and an errno in <paramref name="failure"/>, when there is none.</summary>
    /// <param name="index">Comes back with each event of the socket.</param>
    /// <param name="ownSource">A source address of its own every so often: 28,000 ports do not last long when every crash takes one.</param>
    public int Dial(int index, bool ownSource, out bool connected, out int failure)
    {
        var source = ownSource ? 127u | (1u << 8) | ((uint)(1 + (_sourceTurn++ & 63)) << 24) : 0u;
        var socket = Libc.Connect(_address, (ushort)target.Port, source, out connected, out failure);
        if (socket >= 0)
        {
            epoll.Add(socket, index);
        }

        return socket;
    }

    public void Dispose() => Tls?.Dispose();
}
