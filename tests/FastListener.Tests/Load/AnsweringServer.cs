using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FastListener.Tests.Load;

/// <summary>Answers each request with what it is told to, as soon as the whole of it is there. Its clients must be gone when it is disposed.</summary>
internal sealed class AnsweringServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _over = new();
    private readonly Task _serving;

    public AnsweringServer(Func<string, string> answer)
    {
        _listener.Start();
        _serving = ServeAsync(_listener, answer, _over.Token);
    }

    public string Url => FormattableString.Invariant($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _serving;
        _listener.Dispose();
        _over.Dispose();
    }

    private static async Task ServeAsync(TcpListener listener, Func<string, string> answer, CancellationToken over)
    {
        var clients = new List<Task>();
        while (true)
        {
            TcpClient client;
            try
            {
                client = await listener.AcceptTcpClientAsync(over);
            }
            catch (OperationCanceledException)
            {
                break;
            }

            clients.Add(ServeOneAsync(client, answer));
        }

        await Task.WhenAll(clients); // the run is over, so all of them have been closed
    }

    private static async Task ServeOneAsync(TcpClient client, Func<string, string> answer)
    {
        using (client)
        {
            var stream = client.GetStream();
            var buffer = new byte[64 * 1024];
            var have = 0;
            try
            {
                while (true)
                {
                    var got = await stream.ReadAsync(buffer.AsMemory(have));
                    if (got == 0)
                    {
                        return;
                    }

                    have += got;
                    var text = Encoding.Latin1.GetString(buffer, 0, have);
                    var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
                    if (end < 0)
                    {
                        continue;
                    }

                    var length = text.Split("Content-Length: ")[1].Split('\r')[0];
                    var whole = end + 4 + int.Parse(length, System.Globalization.CultureInfo.InvariantCulture);
                    if (have >= whole)
                    {
                        await stream.WriteAsync(Encoding.Latin1.GetBytes(answer(text[..end])));
                        buffer.AsSpan(whole, have - whole).CopyTo(buffer);
                        have -= whole;
                    }
                }
            }
            catch (IOException)
            {
                // The client closed with bytes of ours unread, which is its right.
            }
        }
    }
}
