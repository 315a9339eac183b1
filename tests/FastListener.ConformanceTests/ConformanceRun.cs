using System.Collections.Concurrent;
using FastListener.ConformanceTests.Cases;
using FastListener.SystemTests.Harness;

namespace FastListener.ConformanceTests;

/// <summary>
/// Sends every case in every way to one listener, many connections at a time, then asks the command line once what was stored. The
/// tests look at what this run recorded.
/// </summary>
public sealed class ConformanceRun : IAsyncLifetime
{
    private const int Connections = 24;

    private readonly ListenerFixture _server = new();
    private readonly ConcurrentDictionary<string, ConcurrentBag<Outcome>> _outcomes = new(StringComparer.Ordinal);

    internal ListenerFixture Server => _server;

    internal CaseText Text { get; private set; } = null!;

    internal IReadOnlyDictionary<string, StoredSubmission> Stored { get; private set; } = null!;

    internal IEnumerable<Outcome> Outcomes => _outcomes.Values.SelectMany(item => item);

    internal IReadOnlyCollection<Outcome> OutcomesOf(ConformanceCase test) => _outcomes[test.Id];

    public async ValueTask InitializeAsync()
    {
        await _server.InitializeAsync();
        Text = new CaseText(_server.ErrorToken, _server.SymbolToken);
        var runner = new CaseRunner(_server.HttpPort, Text);
        var only = Environment.GetEnvironmentVariable("FASTLISTENER_CONFORMANCE_DELIVERY");
        var work = CaseFile.All
            .SelectMany(test => Delivery.Of(test, test.Bytes(Text)).Select(delivery => (test, delivery)))
            .Where(item => only is null || item.delivery.Name.StartsWith(only, StringComparison.Ordinal));
        await Parallel.ForEachAsync(work, new ParallelOptions { MaxDegreeOfParallelism = Connections }, async (item, _) =>
        {
            var outcome = await runner.RunAsync(item.test, item.delivery);
            _outcomes.GetOrAdd(item.test.Id, static _ => []).Add(outcome);
        });
        Stored = (await StoredSubmission.ListAsync(_server.Data.Location)).ToDictionary(item => item.Rxid);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
