using System.Globalization;
using System.Net.Sockets;
using System.Text;

/// <summary>
/// Loaded into a .NET server by DOTNET_STARTUP_HOOKS, so that nothing of the server need know: whoever connects to the socket named by
/// PEER_ALLOCATIONS_SOCKET is told how many bytes the process has allocated so far.
/// </summary>
#pragma warning disable CA1050 // The runtime looks for exactly this name, outside any namespace.
internal static class StartupHook
{
    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable("PEER_ALLOCATIONS_SOCKET") is not { Length: > 0 } path)
        {
            return;
        }

        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        new Thread(() => Answer(listener)) { IsBackground = true, Name = "allocations" }.Start();
    }

    private static void Answer(Socket listener)
    {
        while (true)
        {
            using var client = listener.Accept();
            client.Send(Encoding.ASCII.GetBytes(GC.GetTotalAllocatedBytes(precise: true).ToString(CultureInfo.InvariantCulture)));
        }
    }
}
