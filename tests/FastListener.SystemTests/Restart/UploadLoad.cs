using System.Collections.Concurrent;
using System.Globalization;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Restart;

/// <summary>What was sent as one submission; its number is stored with it, so that every object found can be held against this.</summary>
internal sealed record Attempt(int Number, string ReportHash, int ReportLength, string? AttachmentHash);

/// <summary>
/// Several uploaders, in one shape of load or another, over one life of a listener after another. It knows what it sent and what was
/// acknowledged: the two sides of the promise.
/// </summary>
internal sealed class UploadLoad(string token)
{
    private readonly ConcurrentDictionary<int, Attempt> _attempts = new();
    private readonly ConcurrentDictionary<string, int> _acknowledged = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string Rxid, string Name), string> _lateSent = new();
    private readonly ConcurrentDictionary<(string Rxid, string Name), string> _lateAcknowledged = new();
    private readonly ConcurrentDictionary<string, int> _byShape = new(StringComparer.Ordinal);
    private volatile string? _newest;
    private int _number;
    private volatile bool _stopping;
    private Task _running = Task.CompletedTask;

    public IReadOnlyDictionary<int, Attempt> Attempts => _attempts;

    public IReadOnlyDictionary<(string Rxid, string Name), string> LateSent => _lateSent;

    public int AcknowledgedCount => _acknowledged.Count + _lateAcknowledged.Count;

    /// <summary>Replies that were neither a 200 nor cut off by the end of the listener.</summary>
    public ConcurrentBag<string> Refusals { get; } = [];

    /// <summary>What has been acknowledged up to now.</summary>
    public Promise Acknowledged() => new(
        new Dictionary<string, int>(_acknowledged, StringComparer.Ordinal),
        new Dictionary<(string, string), string>(_lateAcknowledged));

    public void Start(int port, LoadShape shape)
    {
        _stopping = false;
        _running = Task.WhenAll(Enumerable.Range(0, shape.Senders).Select(index => Task.Factory.StartNew(
            () => Upload(port, index, shape), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
    }

    /// <summary>Lets every uploader finish what it has begun.</summary>
    public Task StopAsync()
    {
        _stopping = true;
        return _running;
    }

    /// <summary>Waits for so many answers more. Uploaders that ended before are a failure: there was no load.</summary>
    public async Task AnswersAsync(int more)
    {
        var count = AcknowledgedCount + more;
        await Eventually.TrueAsync(() => AcknowledgedCount >= count || _running.IsCompleted, $"{count} acknowledged submissions", TimeSpan.FromMinutes(2));
        Assert.True(AcknowledgedCount >= count, $"The load ended by itself, {count - AcknowledgedCount} answers too early.");
    }

    /// <summary>How many answers there were in each shape.</summary>
    public override string ToString() => string.Join(", ", _byShape.Select(pair => $"{pair.Key} {pair.Value}"));

    private void Upload(int port, int uploader, LoadShape shape)
    {
        var last = _newest; // of an earlier life, the first time
        try
        {
            using var client = RawClient.Connect(port);
            for (var round = uploader; !_stopping; round++)
            {
                if (last is not null && shape.IsLate(round))
                {
                    AttachLate(client, last, shape);
                }
                else
                {
                    _newest = last = Submit(client, shape) ?? last;
                }
            }
        }
        catch (Exception end) when (end is IOException or InvalidDataException or System.Net.Sockets.SocketException)
        {
            // The listener was killed: what had no answer was not promised.
        }
    }

    private string? Submit(RawClient client, LoadShape shape)
    {
        var number = Interlocked.Increment(ref _number);
        var dump = Harness.Submit.MadeDump(number, shape.ReportLength(number));
        var attachment = shape.AttachmentLength(number) is > 0 and var length ? Harness.Submit.MadeDump(-number, length) : null;
        _attempts[number] = new Attempt(number, Repository.Sha256(dump), dump.Length, attachment is null ? null : Repository.Sha256(attachment));

        var query = string.Create(CultureInfo.InvariantCulture, $"&attempt={number}");
        client.Send(shape.AsCrashpadDoes ? CrashpadForms.Request(token, dump, "early.bin", attachment, query)
            : attachment is null ? Harness.Submit.RawRequest(token, dump, query)
            : Harness.Submit.FormRequest(token, dump, "early.bin", attachment, query));
        if (Receipt(client) is not { } rxid)
        {
            return null;
        }

        _acknowledged[rxid] = number;
        Count(shape);
        return rxid;
    }

    private void AttachLate(RawClient client, string rxid, LoadShape shape)
    {
        var number = Interlocked.Increment(ref _number);
        var name = string.Create(CultureInfo.InvariantCulture, $"late-{number}.bin");
        var bytes = Harness.Submit.MadeDump(number, shape.LateLength(number));
        _lateSent[(rxid, name)] = Repository.Sha256(bytes);
        client.Send(Harness.Submit.AttachmentRequest(token, rxid, name, bytes));
        if (Receipt(client) is not null)
        {
            _lateAcknowledged[(rxid, name)] = _lateSent[(rxid, name)];
            Count(shape);
        }
    }

    private void Count(LoadShape shape) => _byShape.AddOrUpdate(shape.Name, 1, (_, count) => count + 1);

    private string? Receipt(RawClient client)
    {
        var reply = client.ReadReply();
        if (reply.Status == 200)
        {
            return reply.Rxid;
        }

        Refusals.Add(reply.ToString());
        return null;
    }
}

/// <summary>Receipts with their attempts, and late attachments with their hashes, that the listener has acknowledged.</summary>
internal sealed record Promise(
    IReadOnlyDictionary<string, int> Submissions,
    IReadOnlyDictionary<(string Rxid, string Name), string> LateAttachments);
