using System.Net;
using System.Net.Sockets;
using System.Text;
using FastListener.Load.Engines;
using FastListener.Load.Measuring;
using FastListener.Load.Scenarios;
using FastListener.Load.Sockets;
using Xunit;

namespace FastListener.Tests.Load;

public class SocketEngineTests
{
    [Fact]
    public async Task Every_request_is_accounted_for_and_an_expected_refusal_is_no_acknowledgement()
    {
        // Good tokens get 200, the bad ones that the scenario mixes in 403.
        var result = await RunAsync("bad-tokens", head => head.Contains("token=good", StringComparison.Ordinal)
            ? "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"response\":\"ok\"}"
            : "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");

        Assert.Equal(0, result.Failed);
        Assert.Equal(result.Offered, result.Answered + result.AnsweredLate);
        Assert.All(result.Populations, p => Assert.True(p.Recorder.Offered > 0));
        Assert.Equal(result.Populations[0].Recorder.Offered, result.Populations[0].Recorder.Acknowledged.Length);
        Assert.Equal(0, result.Populations[1].Recorder.Acknowledged.Length);
    }

    [Fact]
    public async Task An_answer_that_is_not_the_one_hoped_for_fails()
    {
        var result = await RunAsync("bad-tokens", _ => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");

        Assert.Equal(0, result.Answered + result.AnsweredLate);
        Assert.Equal(result.Offered, result.Failed);
        Assert.Contains(Thresholds.None.Judge(result), v => !v.Held);
    }

    private static async Task<ScenarioResult> RunAsync(string name, Func<string, string> answer)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var over = new CancellationTokenSource();
        var serving = ServeAsync(listener, answer, over.Token);
        var scenario = ScenarioCatalog.Build(
            name,
            new ScenarioOptions
            {
                Target = LoopbackTarget.Parse(FormattableString.Invariant($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}")),
                Token = "good",
                Duration = TimeSpan.FromSeconds(0.5),
                Rate = 100,
            },
            1);
        var result = await Task.Run(() => new SocketEngine().Run(scenario, null, null, CancellationToken.None));
        await over.CancelAsync();
        await serving;
        return result;
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
