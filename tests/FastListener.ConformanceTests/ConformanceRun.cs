using System.Collections.Concurrent;
using FastListener.ConformanceTests.Cases;

namespace FastListener.ConformanceTests;

/// <summary>
/// Sends every case in every way to one listener, many connections at a time, then asks the command line once what was stored. The
/// tests look at what this run recorded.
/// </summary>
public class ConformanceRun : IAsyncLifetime
{
    /// <summary>Deliveries under way at once: while one connection's piece is being read, the others' are sent.</summary>
    private const int Connections = 128;

    private readonly ConcurrentDictionary<string, ConcurrentBag<Outcome>> _outcomes = new(StringComparer.Ordinal);

    internal ConformanceServer Server { get; private set; } = null!;

    internal IReadOnlyDictionary<string, StoredSubmission> Stored { get; private set; } = null!;

    internal IEnumerable<Outcome> Outcomes => _outcomes.Values.SelectMany(item => item);

    internal IReadOnlyCollection<Outcome> OutcomesOf(ConformanceCase test) => _outcomes[test.Id];

    /// <summary>Which transport serves the listener.</summary>
    protected virtual string Transport => "own";

    public async ValueTask InitializeAsync()
    {
        Server = await ConformanceServer.StartAsync(Transport);
        var runner = new CaseRunner(Server.Listener.HttpPort);
        var only = Environment.GetEnvironmentVariable("FASTLISTENER_CONFORMANCE_DELIVERY");
        var work = CaseFile.All
            .SelectMany(test => Delivery.Of(test, test.Bytes()).Select(delivery => (test, delivery)))
            .Where(item => Includes(item.delivery) && (only is null || item.delivery.Name.StartsWith(only, StringComparison.Ordinal)))
            .OrderByDescending(item => item.delivery.Cuts.Length); // those of many pieces first, side by side: each spends its time waiting to be read
        await Parallel.ForEachAsync(work, new ParallelOptions { MaxDegreeOfParallelism = Connections }, async (item, _) =>
        {
            var outcome = await runner.RunAsync(item.test, item.delivery);
            _outcomes.GetOrAdd(item.test.Id, static _ => []).Add(outcome);
        });
        Stored = (await StoredSubmission.ListAsync(Server.Data)).ToDictionary(item => item.Rxid);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected virtual bool Includes(Delivery delivery) => true;
}

/// <summary>The same through Kestrel's own transport, which hands the bytes over in other pieces: every case as it is, and held back where it waits for 100.</summary>
public sealed class KestrelConformanceRun : ConformanceRun
{
    protected override string Transport => "kestrel";

    private protected override bool Includes(Delivery delivery) => delivery == Delivery.Whole || delivery.Cuts.Length == 1 && delivery.Name[0] == 'w';
}
