using System.Diagnostics;
using System.Text;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Abuse;

/// <summary>
/// Everything at once, paced so that an hour fits a disk (about 1.5 MB/s are stored): crashes small and large, plain and over TLS, and each
/// abuse of <see cref="AbuseTests"/>. What fails here without being abuse ends the soak.
/// </summary>
internal sealed class SoakLoad : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];
    private readonly Lock _lock = new();
    private readonly TunedListener _server;
    private List<double> _latencies = [];

    public SoakLoad(TunedListener server, string behaving)
    {
        _server = server;
        var form = Submit.FormRequest(server.Token, Submit.MadeDump(2, 50_000), "a.log", new byte[10_000]);
        var partial = AbuseTests.PartialBodies(server.Token);
        var bomb = AbuseTests.Bomb("MDMP"u8, 64);
        var (small, large) = (Submit.RawRequest(behaving, Submit.MadeDump(1, 20_000)), Submit.RawRequest(server.Token, Submit.MadeDump(3, 8 * 1024 * 1024)));
        Every(50, _ => Measure(small));
        Every(250, _ => Ask(RawClient.Connect(server.Port), form, 200));
        Every(500, _ => Ask(RawClient.ConnectTls(server.Process.HttpsPort), form, 200));
        Every(10_000, _ => Ask(RawClient.Connect(server.Port), large, 200));
        Every(2000, _ => Ask(RawClient.Connect(server.Port), [.. Encoding.ASCII.GetBytes(
            $"POST /post?format=minidump&token={server.Token} HTTP/1.1\r\nHost: test\r\nContent-Encoding: gzip\r\nContent-Length: {bomb.Length}\r\n\r\n"), .. bomb], 413));
        Every(5, _ => RawClient.Connect(server.Port).Dispose()); // churn
        Every(50, round => CutOff(partial[round % partial.Count], round));
        Crowd(200, "", 1000); // idle
        Crowd(50, $"POST /post?format=minidump&token={server.Token} HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\nMDMP", 200); // slow
        Every(1, Guess);
        Every(10, Pipeline);
        Every(1000, Deaf);
    }

    /// <summary>Milliseconds until the answers of the client that behaves, since the last call.</summary>
    public IReadOnlyList<double> TakeLatencies()
    {
        lock (_lock)
        {
            (var taken, _latencies) = (_latencies, []);
            return taken;
        }
    }

    /// <summary>Throws what ended any part of the load.</summary>
    public void ThrowIfEnded() => _running.FirstOrDefault(task => task.IsCompleted)?.GetAwaiter().GetResult();

    /// <summary>Ends all of it.</summary>
    public async Task EndAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
    }

    public void Dispose() => _stop.Dispose();

    private static void Ask(RawClient client, byte[] request, int status)
    {
        using (client)
        {
            client.Send(request);
            var reply = client.ReadReply();
            Assert.True(reply.Status == status, $"Not {status}: {reply}");
        }
    }

    /// <summary>One thread that does this again and again, with a pause in milliseconds.</summary>
    private void Every(int pause, Action<int> act) => _running.Add(Task.Factory.StartNew(
        () =>
        {
            for (var round = 0; !_stop.Token.WaitHandle.WaitOne(pause); round++)
            {
                act(round);
            }
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));

    private void Measure(byte[] request)
    {
        var since = Stopwatch.GetTimestamp();
        Ask(RawClient.Connect(_server.Port), request, 200);
        lock (_lock)
        {
            _latencies.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        }
    }

    private void CutOff(byte[] beginning, int round)
    {
        using var client = RawClient.Connect(_server.Port);
        client.Send(beginning);
        if (round % 2 == 0)
        {
            client.Reset();
        }
    }

    /// <summary>So many connections that say this and then a byte now and then; who is ended comes again.</summary>
    private void Crowd(int count, string beginning, int pause) => _running.Add(Task.Factory.StartNew(
        () =>
        {
            var crowd = new RawClient?[count];
            while (!_stop.Token.WaitHandle.WaitOne(pause))
            {
                for (var index = 0; index < count && !_stop.IsCancellationRequested; index++)
                {
                    if (crowd[index] is not { } client || client.HasReplyWithin(TimeSpan.Zero) || (beginning.Length > 0 && !client.Send("x")))
                    {
                        crowd[index]?.Dispose();
                        crowd[index] = RawClient.Connect(_server.Port);
                        crowd[index]!.Send(beginning);
                    }
                }
            }

            Array.ForEach(crowd, client => client?.Dispose());
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));

    private void Guess(int round) => Ask(
        RawClient.Connect(_server.Port), Encoding.ASCII.GetBytes($"POST /post?format=minidump&token={round:x64} HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n"), 403);

    private void Pipeline(int round)
    {
        using var client = RawClient.Connect(_server.Port);
        client.Send(string.Concat(Enumerable.Repeat("GET /nonsense HTTP/1.1\r\nHost: test\r\n\r\n", 100)));
        for (var answer = 0; answer < 100; answer++)
        {
            Assert.Equal(404, client.ReadReply().Status);
        }
    }

    private void Deaf(int round)
    {
        using var client = RawClient.Connect(_server.Port);
        var flood = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("GET /nonsense HTTP/1.1\r\nHost: test\r\n\r\n", 500)));
        while (!_stop.IsCancellationRequested && client.Send(flood))
        {
            // Until the listener hangs up.
        }
    }
}
