using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Authentication;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Restart;

/// <summary>
/// Clients with a connection for each upload, as crash reporters have it, over one life of a listener after another. A connection that was refused counts
/// as nothing: whoever meets that knows that nothing was sent. Everything else must be answered.
/// </summary>
internal sealed class StopChurn(string token, bool refusedAtTimes)
{
    /// <summary>A listener that stops gives what is on its way a second to arrive. A client that was held up for longer by this machine is no witness.</summary>
    private static readonly TimeSpan Prompt = TimeSpan.FromMilliseconds(500);

    /// <summary>Between two tries of a client that was refused.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly ConcurrentBag<string> _receipts = [];
    private readonly ConcurrentBag<string> _failures = [];
    private readonly List<Task> _clients = [];
    private int _refused;
    private int _late;
    private readonly ManualResetEventSlim _stopping = new();

    public IReadOnlyCollection<string> Receipts => _receipts;

    /// <summary>What became of requests that were sent in time over a connection that had been established, and got no 200.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    public string Summary => $"{_receipts.Count} answered, {_failures.Count} not, {_refused} refused before anything was sent, {_late} sent late";

    public void Start(int clients, int port, bool secure)
    {
        for (var client = 0; client < clients; client++)
        {
            _clients.Add(Task.Factory.StartNew(() => Upload(port, secure), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        }
    }

    public Task StopAsync()
    {
        _stopping.Set();
        return Task.WhenAll(_clients);
    }

    public async Task MoreAnsweredAsync(int more)
    {
        var before = _receipts.Count;
        await Eventually.TrueAsync(() => _receipts.Count >= before + more || !_failures.IsEmpty, "further uploads are answered");
    }

    private void Upload(int port, bool secure)
    {
        var request = Submit.RawRequest(token, Submit.MadeDump(port, 3000), head: "Connection: close\r\n");
        while (!_stopping.IsSet)
        {
            var since = Stopwatch.StartNew();
            var sent = TimeSpan.Zero;
            try
            {
                using var client = secure ? RawClient.ConnectTls(port) : RawClient.Connect(port);
                var taken = client.Send(request);
                sent = since.Elapsed;
                if (client.TryReadReply() is { } reply)
                {
                    Take(reply);
                }
                else
                {
                    Fail(sent, $"{(client.WasReset ? "reset" : "closed")}, {(taken ? "all of it" : "not all of it")} sent {sent.TotalMilliseconds} ms after connecting");
                }
            }
            catch (SocketException refused) when (refused.SocketErrorCode is SocketError.ConnectionRefused && refusedAtTimes)
            {
                Interlocked.Increment(ref _refused);
                _stopping.Wait(Pause);
            }
            catch (Exception fault) when (fault is IOException or SocketException or InvalidDataException or TimeoutException or AuthenticationException)
            {
                Fail(sent == TimeSpan.Zero ? since.Elapsed : sent, fault.ToString());
            }
        }
    }

    private void Take(RawReply reply)
    {
        if (reply.Status == 200)
        {
            _receipts.Add(reply.Rxid);
        }
        else
        {
            _failures.Add(reply.ToString());
        }
    }

    private void Fail(TimeSpan sent, string what)
    {
        if (sent < Prompt)
        {
            _failures.Add(what);
        }
        else
        {
            Interlocked.Increment(ref _late);
        }
    }
}
