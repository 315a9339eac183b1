using System.Diagnostics;
using System.Globalization;
using System.Text;
using FastListener.SystemTests.Harness;
using FastListener.SystemTests.Restart;

namespace FastListener.SystemTests.Abuse;

/// <summary>
/// Everything at once, paced so that an hour fits a disk (about 2 MB/s are stored): crashes small and large, plain and over TLS, in every form that
/// clients send, what comes later to them, tokens with limits, and each abuse of <see cref="AbuseTests"/>. What is not answered as it must be ends the soak.
/// </summary>
internal sealed class SoakLoad : IDisposable
{
    private const int LateForEach = 20; // late attachments, before the next object gets them

    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];
    private readonly Lock _lock = new();
    private readonly TunedListener _server;
    private readonly SoakTokens _tokens;
    private readonly List<byte[]> _partial;
    private readonly byte[] _dump = Submit.MadeDump(2, 50_000);
    private string _late = "";
    private List<double> _latencies = [];

    public SoakLoad(TunedListener server, SoakTokens tokens)
    {
        (_server, _tokens) = (server, tokens);
        _partial = AbuseTests.PartialBodies(server.Token);
        var form = Submit.FormRequest(server.Token, _dump, "a.log", new byte[10_000]);
        var bomb = AbuseTests.Bomb("MDMP"u8, 64);
        var small = Submit.RawRequest(tokens.Behaving, Submit.MadeDump(1, 20_000));
        var large = Submit.RawRequest(server.Token, Submit.MadeDump(3, 8 * 1024 * 1024));
        var crashpad = CrashpadForms.Request(server.Token, Submit.MadeDump(4, 20_000), "a.log", new byte[10_000]);
        Every("behaved", 50, _ => Measure(small));
        Every("form", 250, _ => Ask(Plain(), form, 200));
        Every("form over TLS", 500, _ => Ask(Secure(), form, 200));
        Every("form, gzip in chunks", 500, round => Ask(round % 2 == 0 ? Plain() : Secure(), crashpad, 200));
        Every("large", 10_000, _ => Ask(Plain(), large, 200));
        Every("JSON", 500, Json);
        Every("symbols", 1000, _ => Ask(Plain(), Request(tokens.Symbols, "symbols", "", [.. "PK\x03\x04"u8, .. new byte[20_000]]), 200));
        Every("late attachment", 500, AttachLate);
        Every("slowed to its rate", 1000, _ => AskSlowed());
        Every("degraded: attachment too large", 1000, _ => AskDegraded(tokens.Tight));
        Every("degraded: over its rate", 1000, _ => AskDegraded(tokens.Starved));
        Every("bomb", 2000, _ => Ask(Plain(), Request(server.Token, "minidump", "Content-Encoding: gzip\r\n", bomb), 413));
        Every("half closed, whole", 1000, _ => AskHalfClosed(small, 200));
        Every("half closed, cut", 500, round => AskHalfClosed(_partial[round % _partial.Count], 400));
        Every("TLS that vanishes", 100, VanishSecurely);
        Every("churn", 5, _ => Plain().Dispose());
        Every("cut off", 50, CutOff);
        Crowd("idle", 200, "", 1000);
        Crowd("slow", 50, $"POST /post?format=minidump&token={server.Token} HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\nMDMP", 200);
        Every("guess", 1, Guess);
        Every("pipeline", 10, _ => Pipeline());
        Every("deaf", 1000, _ => Deaf());
    }

    /// <summary>What each kind of client got.</summary>
    public SoakTally Tally { get; } = new();

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

    private static RawReply Ask(RawClient client, byte[] request, int status)
    {
        using (client)
        {
            client.Send(request);
            return Expect(client, status);
        }
    }

    private static RawReply Expect(RawClient client, int status)
    {
        var reply = client.ReadReply();
        Assert.True(reply.Status == status, $"Not {status}: {reply}");
        return reply;
    }

    private static byte[] Request(string token, string format, string head, ReadOnlySpan<byte> body) =>
        [.. Encoding.ASCII.GetBytes($"POST /post?format={format}&token={token} HTTP/1.1\r\nHost: test\r\n{head}Content-Length: {body.Length}\r\n\r\n"), .. body];

    private RawClient Plain() => RawClient.Connect(_server.Port);

    private RawClient Secure() => RawClient.ConnectTls(_server.Process.HttpsPort);

    /// <summary>One thread that does this again and again, with a pause in milliseconds.</summary>
    private void Every(string kind, int pause, Action<int> act)
    {
        Tally.Expect(kind);
        Run(() =>
        {
            for (var round = 0; !_stop.Token.WaitHandle.WaitOne(pause); round++)
            {
                Tally.Begin(kind);
                try
                {
                    act(round);
                }
                catch (Exception failure)
                {
                    throw new InvalidOperationException($"{kind}, {round}: {failure.Message}", failure);
                }

                Tally.Answer(kind);
            }
        });
    }

    private void Run(Action act) => _running.Add(Task.Factory.StartNew(act, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));

    private void Measure(byte[] request)
    {
        var since = Stopwatch.GetTimestamp();
        Ask(Plain(), request, 200);
        lock (_lock)
        {
            _latencies.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        }
    }

    private void Json(int round) => Ask(
        Plain(),
        Request(_server.Token, "json", "Content-Type: application/json\r\n", Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $$$"""{"uuid":"{{{round}}}","lang":"nodejs","mainThread":"main","attributes":{"round":{{{round}}},"hostname":"h"}}"""))),
        200);

    private void AttachLate(int round)
    {
        if (round % LateForEach == 0)
        {
            _late = Submit.Dump(_server.Port, _server.Token, _dump).ReceiptOf();
        }

        Ask(Plain(), Submit.AttachmentRequest(_server.Token, _late, $"late-{round}.bin", _dump.AsSpan(0, 5000)), 200);
    }

    /// <summary>Two reads at least: the second waits until the first one is paid for.</summary>
    private void AskSlowed()
    {
        var since = Stopwatch.GetTimestamp();
        Assert.Null(Ask(Plain(), Submit.RawRequest(_tokens.Slowed, Submit.MadeDump(5, SoakTokens.SlowedBytesPerSecond)), 200).Header("FastListener-Degraded"));
        var took = Stopwatch.GetElapsedTime(since);
        Assert.True(took > TimeSpan.FromMilliseconds(200), $"Its rate was not held: {took.TotalMilliseconds:0} ms.");
    }

    private void AskDegraded(string token) =>
        Assert.NotNull(Ask(Plain(), Submit.FormRequest(token, _dump, "a.log", new byte[100_000]), 200).Header("FastListener-Degraded"));

    private void AskHalfClosed(byte[] request, int status)
    {
        using var client = Plain();
        client.Send(request);
        client.FinishSending();
        Expect(client, status);
        Assert.Equal("", client.ReadToEnd()); // and is closed from there, too
    }

    private void VanishSecurely(int round)
    {
        using var client = round % 4 < 2 ? RawClient.Connect(_server.Process.HttpsPort) : Secure();
        client.Send(round % 4 < 2 ? [0x16, 3, 1, 2, 0, 1, 0] : _partial[round % _partial.Count]); // a greeting that is cut, a body that is
        if (round % 2 == 0)
        {
            client.Reset();
        }
    }

    private void CutOff(int round)
    {
        using var client = Plain();
        client.Send(_partial[round % _partial.Count]);
        if (round % 2 == 0)
        {
            client.Reset();
        }
    }

    /// <summary>So many connections that say this and then a byte now and then; who is ended, by a 408 if it has said anything, comes again.</summary>
    private void Crowd(string kind, int count, string beginning, int pause)
    {
        Tally.Expect(kind);
        Run(() =>
        {
            var crowd = new RawClient?[count];
            while (!_stop.Token.WaitHandle.WaitOne(pause))
            {
                for (var index = 0; index < count && !_stop.IsCancellationRequested; index++)
                {
                    if (crowd[index] is { } client)
                    {
                        if (!client.HasReplyWithin(TimeSpan.Zero) && (beginning.Length == 0 || client.Send("x")))
                        {
                            continue;
                        }

                        Tally.Begin(kind);
                        var reply = client.TryReadReply();
                        Assert.True(reply?.Status == (beginning.Length > 0 ? 408 : null) || client.WasReset, $"{kind}: {reply}"); // reset when we looked too late
                        Tally.Answer(kind);
                        client.Dispose();
                    }

                    crowd[index] = Plain();
                    crowd[index]!.Send(beginning);
                }
            }

            Array.ForEach(crowd, client => client?.Dispose());
        });
    }

    private void Guess(int round) => Ask(Plain(), Request($"{round:x64}", "minidump", "", []), 403);

    private void Pipeline()
    {
        using var client = Plain();
        client.Send(string.Concat(Enumerable.Repeat("GET /nonsense HTTP/1.1\r\nHost: test\r\n\r\n", 100)));
        for (var answer = 0; answer < 100; answer++)
        {
            Expect(client, 404);
        }
    }

    private void Deaf()
    {
        using var client = Plain();
        var flood = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("GET /nonsense HTTP/1.1\r\nHost: test\r\n\r\n", 500)));
        while (!_stop.IsCancellationRequested && client.Send(flood))
        {
            // Until the listener hangs up.
        }
    }
}
