using System.Globalization;
using System.Text;
using FastListener.ConformanceTests.Cases;
using FastListener.ConformanceTests.Wire;
using FastListener.SystemTests.Harness;

namespace FastListener.ConformanceTests.Proxies;

/// <summary>
/// Every case through a real proxy that shares its connections to the listener among all clients: whatever the proxy forwards, the two
/// never disagree on where a request ends.
/// </summary>
public sealed class ProxyAgreementTests(ITestOutputHelper output)
{
    /// <summary>Fewer forwarded cases than this would show little.</summary>
    private const int LeastForwarded = 250;

    public static TheoryData<string> Proxies() => [.. ProxyKind.All.Select(kind => kind.Name)];

    [Theory]
    [MemberData(nameof(Proxies))]
    public async Task Proxy_and_listener_agree_on_where_every_request_ends(string name)
    {
        var kind = ProxyKind.All.Single(kind => kind.Name == name);
        Assert.SkipWhen(Command.Find(kind.Program) is null, $"{kind.Program} is not installed (Debian: apt-get install {kind.Program}).");

        await using var server = await ConformanceServer.StartAsync();
        var mark = Guid.NewGuid().ToString("N");
        await using var tap = new Tap(server.Listener.HttpPort, mark);
        await using var proxy = await ProxyProcess.StartAsync(kind, tap.Port, mark);
        var markers = new Dictionary<string, string>(StringComparer.Ordinal);
        var faults = new List<string>();
        var forwarded = 0;
        foreach (var test in CaseFile.All)
        {
            var before = tap.Marked;
            var number = markers.Count.ToString(CultureInfo.InvariantCulture);
            await SendWithFollowerAsync(proxy.Port, test, number);
            forwarded += tap.Marked > before ? 1 : 0;

            // The next client, on a connection of its own to the proxy: its request may travel behind what the case left.
            var receipt = await SubmitAsync(proxy.Port, number);
            if (receipt is null || !markers.TryAdd(receipt, number))
            {
                faults.Add($"{test.Id}: the next client got no receipt of its own.");
            }

            faults.AddRange(tap.Connections.SelectMany(connection => connection.Violations).Select(violation => $"{test.Id}: {violation}"));
            Assert.True(faults.Count == 0, string.Join('\n', faults));
        }

        var stored = (await StoredSubmission.ListAsync(server.Data)).ToDictionary(item => item.Rxid);
        var receipts = tap.Connections.SelectMany(connection => connection.Receipts).ToList();
        output.WriteLine($"{name}: {CaseFile.All.Count} cases, {forwarded} forwarded; {tap.Marked} requests forwarded, "
            + $"{tap.Connections.Sum(connection => connection.Replies)} replies over {tap.Connections.Count()} connections, {stored.Count} objects.");
        Assert.Equal(receipts.Order(StringComparer.Ordinal), stored.Keys.Order(StringComparer.Ordinal));
        Assert.All(markers, marker => Assert.Equal([$"marker={marker.Value}"], stored[marker.Key].Attributes));
        Assert.All(markers.Keys, receipt => Assert.Equal(8, stored[receipt].Report.Size));
        Assert.InRange(forwarded, LeastForwarded, CaseFile.All.Count);
        Assert.False(server.Listener.HasExited);
    }

    /// <summary>The test of the test: a request that no proxy marked is caught when the listener answers it.</summary>
    [Fact]
    public async Task A_request_that_no_proxy_forwarded_is_caught()
    {
        await using var server = await ConformanceServer.StartAsync();
        await using var tap = new Tap(server.Listener.HttpPort, "the-mark");
        using var client = await WireClient.ConnectAsync(tap.Port);
        await client.SendAsync("OPTIONS /post HTTP/1.1\r\nHost: a\r\nX-Edge: the-mark\r\n\r\nOPTIONS /post HTTP/1.1\r\nHost: hidden\r\n\r\n"u8.ToArray());
        Assert.NotNull(await client.TryReadAsync());
        Assert.NotNull(await client.TryReadAsync());
        Assert.Single(tap.Connections.SelectMany(connection => connection.Violations));
    }

    /// <summary>The case, a submission behind it on the same connection, the end; then everything that comes back.</summary>
    private static async Task SendWithFollowerAsync(int port, ConformanceCase test, string number)
    {
        using var client = await WireClient.ConnectAsync(port);
        await client.SendAsync(test.Bytes().All);
        if (!test.Ends)
        {
            await client.SendAsync(Submission($"{number}-behind"));
        }

        client.FinishSending();
        await client.DrainAsync();
    }

    private static async Task<string?> SubmitAsync(int port, string number)
    {
        using var client = await WireClient.ConnectAsync(port);
        await client.SendAsync(Submission(number));
        var reply = await client.TryReadAsync();
        return reply is { Status: 200 } && reply.Body.Contains("_rxid", StringComparison.Ordinal) ? reply.Rxid : null;
    }

    private static byte[] Submission(string marker) => Encoding.ASCII.GetBytes(
        $"POST /post?format=minidump&token={ConformanceServer.Token}&marker={marker} HTTP/1.1\r\nHost: marker\r\nConnection: close\r\nContent-Length: 8\r\n\r\nMDMPdump");
}
