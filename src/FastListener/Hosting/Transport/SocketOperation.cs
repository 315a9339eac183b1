using System.Net.Sockets;

namespace FastListener.Hosting.Transport;

/// <summary>One reusable asynchronous socket call. Its end is reported on a pool thread, on which the waiting handler then goes on.</summary>
internal sealed class SocketOperation(Action<SocketAsyncEventArgs> completed) : SocketAsyncEventArgs(true)
{
    protected override void OnCompleted(SocketAsyncEventArgs e) => completed(e);
}
