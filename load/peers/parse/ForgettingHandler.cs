using Microsoft.AspNetCore.Connections;

namespace FastListener.Peers.Parse;

/// <summary>
/// FastListener's transport and its two parsers, and nothing behind them: every part's headers and bytes are read and forgotten, as the peer beside it does.
/// No tokens, limits of time, attributes, checksums, ledger or store. Takes forms with a Content-Length; anything else ends the connection.
/// </summary>
internal sealed class ForgettingHandler : ConnectionHandler
{
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        using var forms = new ForgottenForms(connection.Transport.Output);
        var input = connection.Transport.Input;
        while (true)
        {
            var read = await input.ReadAsync();
            if ((read.Buffer.IsEmpty && read.IsCompleted) || !forms.Take(read.Buffer))
            {
                return;
            }

            input.AdvanceTo(read.Buffer.End);
            if (connection.Transport.Output.UnflushedBytes > 0 && (await connection.Transport.Output.FlushAsync()).IsCompleted)
            {
                return;
            }
        }
    }
}
