using System.Net.Sockets;

namespace FastListener.Hosting.Transport;

/// <summary>The calls on a connection's socket, none of which waits. On a socket that was closed they say <see cref="SocketError.OperationAborted"/>.</summary>
internal readonly struct SocketCalls(Socket socket)
{
    /// <summary>What has arrived, as far as it has room; 0 with <see cref="SocketError.Success"/> is the end of the stream.</summary>
    public int Receive(Span<byte> buffer, out SocketError error)
    {
        try
        {
            return socket.Receive(buffer, SocketFlags.None, out error);
        }
        catch (ObjectDisposedException)
        {
            error = SocketError.OperationAborted;
            return 0;
        }
    }

    /// <summary>How much of it the kernel took.</summary>
    public int Send(ReadOnlySpan<byte> buffer, out SocketError error)
    {
        try
        {
            return socket.Send(buffer, SocketFlags.None, out error);
        }
        catch (ObjectDisposedException)
        {
            error = SocketError.OperationAborted;
            return 0;
        }
    }

    /// <summary>Starts a receive; false when it has ended already, then its fields tell how.</summary>
    public bool ReceiveAsync(SocketOperation operation)
    {
        try
        {
            return socket.ReceiveAsync(operation);
        }
        catch (ObjectDisposedException)
        {
            operation.SocketError = SocketError.OperationAborted;
            return false;
        }
    }

    /// <summary>Starts a send; false when it has ended already, then its fields tell how.</summary>
    public bool SendAsync(SocketOperation operation)
    {
        try
        {
            return socket.SendAsync(operation);
        }
        catch (ObjectDisposedException)
        {
            operation.SocketError = SocketError.OperationAborted;
            return false;
        }
    }
}
