using System.Globalization;
using System.Net;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Corpus;

/// <summary>How the bytes of a case travel.</summary>
internal sealed record Delivery(string Name, int Cut)
{
    public static readonly Delivery Whole = new("whole", 0);

    public static readonly Delivery ByteByByte = new("byte by byte", -1);

    public static Delivery InTwo(int cut) => new($"in two at {cut}", cut);
}

/// <summary>What happened when one case was sent in one way.</summary>
internal sealed record Sent(Delivery Delivery, IPAddress Sender, IReadOnlyList<RawReply?> Replies, bool? Kept, string Rest, Exception? Failure);

/// <summary>
/// Sends the whole corpus once, in every way, to one listener, then reads back everything it stored with two calls of the command
/// line. The tests look at what this run recorded; a process per row would cost minutes.
/// </summary>
public sealed class CorpusRun : IAsyncLifetime
{
    private const string Probe = "OPTIONS /post HTTP/1.1\r\nHost: probe\r\nContent-Length: 0\r\n\r\n";
    private const int ByteByByteLimit = 6 * 1024;

    private readonly ListenerFixture _server = new();
    private readonly Dictionary<string, IReadOnlyList<Sent>> _sent = new(StringComparer.Ordinal);

    private int _senders;

    internal IReadOnlyDictionary<string, IReadOnlyList<Sent>> SentCases => _sent;

    internal IReadOnlyDictionary<string, StoredObject> Stored { get; private set; } = null!;

    internal ExportedFolder Exported { get; private set; } = null!;

    internal CorpusText Text(RawReply? earlier) => new(Names(earlier));

    internal ListenerFixture Server => _server;

    public async ValueTask InitializeAsync()
    {
        await _server.InitializeAsync();
        foreach (var name in CorpusCase.Names())
        {
            var test = CorpusCase.Read(name);
            _sent[name] = [.. Deliveries(test).Select(delivery => Send(test, delivery))];
        }

        Stored = (await _server.Data.ListAsync()).ToDictionary(item => item.Rxid);
        Exported = await _server.Data.ExportAllAsync();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>Cuts where parsers have their seams: in the first line, around the head's end, around the body's end, in the middle.</summary>
    private IEnumerable<Delivery> Deliveries(CorpusCase test)
    {
        yield return Delivery.Whole;
        var bytes = test.Requests[0].Bytes(Text(null));
        var head = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
        int[] seams = head < 0
            ? [1, bytes.Length / 2, bytes.Length - 1]
            : [5, head / 2, head + 1, head + 3, head + 4, head + 5, (head + 4 + bytes.Length) / 2, bytes.Length - 3, bytes.Length - 1];
        IEnumerable<int> cuts = bytes.Length <= ByteByByteLimit && Environment.GetEnvironmentVariable("FASTLISTENER_CORPUS_CUTS") == "all"
            ? Enumerable.Range(1, Math.Max(0, bytes.Length - 1))
            : seams;
        foreach (var cut in cuts.Where(cut => cut > 0 && cut < bytes.Length).Distinct())
        {
            yield return Delivery.InTwo(cut);
        }

        if (bytes.Length <= ByteByByteLimit)
        {
            yield return Delivery.ByteByByte;
        }
    }

    private Sent Send(CorpusCase test, Delivery delivery)
    {
        var replies = new List<RawReply?>();
        var sender = NextSender();
        var client = RawClient.Connect(_server.HttpPort, sender);
        try
        {
            for (var index = 0; index < test.Requests.Count; index++)
            {
                if (index > 0 && test.Expected[index - 1].Keep == false)
                {
                    client.Dispose();
                    client = RawClient.Connect(_server.HttpPort, sender);
                }

                var bytes = test.Requests[index].Bytes(Text(replies.FirstOrDefault()));
                Deliver(client, bytes, index == 0 || delivery.Cut < 0 ? delivery : Delivery.Whole);
                if (test.Expected[index].Leaves)
                {
                    client.FinishSending();
                }

                replies.Add(client.TryReadReply());
            }

            return WithFate(new Sent(delivery, sender, replies, null, "", null), client, test.Expected[^1]);
        }
        catch (Exception failure) when (failure is InvalidDataException or TimeoutException or IOException)
        {
            return new Sent(delivery, sender, replies, null, "", failure);
        }
        finally
        {
            client.Dispose();
        }
    }

    /// <summary>
    /// Asks the connection itself whether it was kept: an open one answers a further request, a closed one stays silent. Bytes that a
    /// refused request left behind and that were taken for a request show up here, too.
    /// </summary>
    private static Sent WithFate(Sent sent, RawClient client, Expectation last)
    {
        if (last.Keep == true)
        {
            client.Send(Probe);
            var answer = client.TryReadReply();
            return sent with { Kept = answer is { Status: 200 }, Rest = answer is { Status: 200 } or null ? "" : answer.ToString() };
        }

        client.Send(Probe);
        client.FinishSending();
        var rest = client.ReadToEnd();
        return sent with { Kept = rest.Length > 0, Rest = rest };
    }

    /// <summary>
    /// A loopback address of its own for each delivery: the listener answers wrong tokens ever more slowly to whoever sends many, and
    /// each object must show who sent it.
    /// </summary>
    private IPAddress NextSender()
    {
        _senders++;
        return new IPAddress([127, (byte)(64 + (_senders >> 16)), (byte)(_senders >> 8), (byte)_senders]);
    }

    private static void Deliver(RawClient client, byte[] bytes, Delivery delivery)
    {
        switch (delivery.Cut)
        {
            case 0: client.Send(bytes); break;
            case < 0: client.SendByteByByte(bytes); break;
            default: client.SendInTwo(bytes, delivery.Cut); break;
        }
    }

    private Dictionary<string, string> Names(RawReply? earlier)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["token"] = _server.ErrorToken,
            ["symbol-token"] = _server.SymbolToken,
            ["sync-token"] = _server.SyncToken,
            ["other-token"] = _server.OtherToken,
        };
        if (earlier is { Status: 200 } && earlier.Body.Contains("_rxid", StringComparison.Ordinal))
        {
            names["rxid"] = earlier.Rxid;
            names["zero-rxid"] = ReceiptForms.ZeroFilled(earlier.Rxid);
            names["object"] = ReceiptForms.ShortHex(earlier.Rxid);
        }

        return names;
    }
}

/// <summary>The three ways to name an object (design, decision 4).</summary>
internal static class ReceiptForms
{
    public static string ZeroFilled(string rxid) => rxid[..8] + "-0000-0000-0000-000000000000";

    /// <summary>The id in hex: the first group is its low word, least significant byte first.</summary>
    public static string ShortHex(string rxid)
    {
        var word = Convert.FromHexString(rxid[..8]);
        return BitConverter.ToUInt32(word).ToString("x", CultureInfo.InvariantCulture);
    }
}
