using FastListener.Connections;
using Microsoft.AspNetCore.Connections;

namespace FastListener.Hosting;

/// <summary>Kestrel's side of a connection: hands it over and waits for its end.</summary>
internal sealed class SubmissionConnectionHandler(ListenerServices services) : ConnectionHandler
{
    /// <inheritdoc/>
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        using var served = new ListenerConnection(connection, services);
        await served.RunAsync();
    }
}
