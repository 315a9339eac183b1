using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Restart;

/// <summary>
/// One listener takes over from another on the same data directory and the same listening socket, which somebody else holds (as systemd does): not one
/// submission fails.
/// </summary>
public sealed class HandOverTests
{
    private const int Uploaders = 4;
    private const int SlowBytes = 24 * 1024 * 1024;

    private readonly ConcurrentDictionary<string, string> _acknowledged = new();
    private readonly ConcurrentBag<string> _failed = [];
    private int _number;
    private volatile bool _stopping;
    private bool _secure;

    /// <param name="overlapping">Whether the heir is there before the first one leaves. If not, the kernel queues meanwhile.</param>
    /// <param name="secure">Whether all of them speak TLS.</param>
    /// <param name="transport">Of the listener's sockets.</param>
    [Theory]
    [InlineData(true, false, "own")]
    [InlineData(false, false, "own")]
    [InlineData(true, true, "own")]
    [InlineData(false, true, "own")]
    [InlineData(true, false, "kestrel")]
    [InlineData(false, true, "kestrel")]
    public async Task No_submission_fails_while_one_listener_takes_over_from_another(bool overlapping, bool secure, string transport)
    {
        _secure = secure;
        var rounds = secure || transport != "own" ? 1 : 3; // all of them hand over in the same way
        using var data = new DataDirectory();
        using var socket = Listen(out var port);
        var token = await data.AddTokenAsync("game");
        var listener = await ListenerProcess.StartOnSocketAsync(data.Location, socket, secure, transport);
        var uploads = Enumerable.Range(0, Uploaders).Select(_ => OnThread(() => UploadUntilStopped(port, token))).ToArray();
        try
        {
            for (var round = 0; round < rounds; round++)
            {
                await MoreAcknowledgedAsync();
                using var half = new ManualResetEventSlim();
                using var goOn = new ManualResetEventSlim();
                var slow = OnThread(() => UploadSlowly(port, token, half, goOn));
                Assert.True(half.Wait(TimeSpan.FromSeconds(30)), "The slow upload did not begin.");
                var former = listener;
                if (overlapping)
                {
                    listener = await ListenerProcess.StartOnSocketAsync(data.Location, socket, secure, transport);
                    await MoreAcknowledgedAsync();
                    await Eventually.TrueAsync(
                        async () => (await data.BooksAsync()).InFlight!.Any(upload => upload.WireBytes > SlowBytes / 4), "audit asks both: one has the slow upload");
                    former.Signal(15);
                    await MoreAcknowledgedAsync();
                    Assert.False(former.HasExited, "The former listener left before its upload was over.");
                    goOn.Set();
                    Assert.Equal(0, await former.WaitForExitAsync());
                    Assert.Single(Directory.GetFiles(data.Location, "serve-*.sock*")); // the heir's
                }
                else
                {
                    former.Signal(15);
                    goOn.Set();
                    Assert.Equal(0, await former.WaitForExitAsync());
                    listener = await ListenerProcess.StartOnSocketAsync(data.Location, socket, secure, transport);
                }

                await slow;
                await former.DisposeAsync();
                await MoreAcknowledgedAsync();
            }
        }
        finally
        {
            _stopping = true;
            await Task.WhenAll(uploads);
            await listener.DisposeAsync();
        }

        Assert.Empty(_failed);
        await using var last = await ListenerProcess.StartOnSocketAsync(data.Location, socket, secure, transport); // recovers the one that was ended just now
        await data.AssertSoundAsync();
        Assert.Empty(data.StagedFiles());
        Assert.Empty(Directory.GetFiles(Path.Combine(data.Location, "orphans")));
        var exported = await data.ExportAllAsync();
        Assert.Equal(_acknowledged.Keys.Order(), exported.Reports().Order());
        Assert.All(_acknowledged, pair => Assert.Equal(pair.Value, exported.ReportHash(pair.Key)));
    }

    private static Socket Listen(out int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(512);
        port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        return socket;
    }

    private RawClient Connect(int port) => _secure ? RawClient.ConnectTls(port) : RawClient.Connect(port);

    private static Task OnThread(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private async Task MoreAcknowledgedAsync()
    {
        var before = _acknowledged.Count;
        await Eventually.TrueAsync(() => _acknowledged.Count >= before + 40 || !_failed.IsEmpty, "further submissions are acknowledged");
        Assert.Empty(_failed);
    }

    /// <summary>A few on each connection, until the listener says that it was the last one.</summary>
    private void UploadUntilStopped(int port, string token)
    {
        while (!_stopping)
        {
            Try(() =>
            {
                using var client = Connect(port);
                for (var left = 4; left > 0 && Submit(client, token); left--)
                {
                }
            });
        }
    }

    private bool Submit(RawClient client, string token)
    {
        var number = Interlocked.Increment(ref _number);
        var dump = Harness.Submit.MadeDump(number, number % 20 == 0 ? 1_500_000 : 200 + (number * 7919 % 30_000));
        client.Send(Harness.Submit.RawRequest(token, dump, string.Create(CultureInfo.InvariantCulture, $"&attempt={number}")));
        var reply = client.ReadReply();
        Take(reply, dump);
        return reply.Header("Connection") != "close";
    }

    private void UploadSlowly(int port, string token, ManualResetEventSlim half, ManualResetEventSlim goOn) => Try(() =>
    {
        var dump = Harness.Submit.MadeDump(Interlocked.Increment(ref _number), SlowBytes);
        var request = Harness.Submit.RawRequest(token, dump);
        using var client = Connect(port);
        client.SendInTwo(request.AsSpan(0, SlowBytes / 2), 1000);
        half.Set();
        goOn.Wait(TimeSpan.FromSeconds(60));
        client.Send(request.AsSpan(SlowBytes / 2));
        Take(client.ReadReply(), dump);
    });

    private void Take(RawReply reply, byte[] dump)
    {
        if (reply.Status == 200)
        {
            _acknowledged[reply.Rxid] = Repository.Sha256(dump);
        }
        else
        {
            _failed.Add(reply.ToString());
        }
    }

    private void Try(Action upload)
    {
        try
        {
            upload();
        }
        catch (Exception fault) when (fault is IOException or SocketException or InvalidDataException or TimeoutException or AuthenticationException)
        {
            _failed.Add(fault.ToString());
        }
    }
}
