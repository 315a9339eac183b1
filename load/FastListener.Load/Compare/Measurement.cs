namespace FastListener.Load.Compare;

/// <summary>One kind of load that several peers are put under, in turn.</summary>
internal sealed record Measurement
{
    public required string Key { get; init; }

    public required string Title { get; init; }

    public required string Input { get; init; }

    public required int Connections { get; init; }

    public required string[] Peers { get; init; }

    /// <summary>A new connection for every request.</summary>
    public bool Each { get; init; }

    public bool Tls { get; init; }

    /// <summary>Requests for each connection; null sends for a time instead.</summary>
    public int? RequestsEach { get; init; }

    /// <summary>First as fast as it goes, then at half of that rate, of which the latency counts.</summary>
    public bool HalfOfCapacity { get; init; }

    /// <summary>Ask the .NET servers how much they allocated.</summary>
    public bool Allocations { get; init; }

    /// <summary>What warms the server up before.</summary>
    public string WarmUpInput { get; init; } = "form-20k";

    /// <summary>So many of them on each connection, where time would be too many bytes for the disk; null sends them for a time.</summary>
    public int? WarmUpRequestsEach { get; init; }

    /// <summary>Memory is what counts here, so what was stored may go at once: it would fill the disk.</summary>
    public bool DeleteAfterEachStep { get; init; }

    /// <summary>At most so many counted rounds.</summary>
    public int MostRounds { get; init; } = int.MaxValue;

    /// <summary>In the order of the tables: after each tuned .NET peer the one with other runtime settings, which runs only when it is named.</summary>
    public IEnumerable<string> AllPeers => Peers.SelectMany(peer => PeerCatalog.Exists(peer + PeerCatalog.SdkRuntime) ? [peer, peer + PeerCatalog.SdkRuntime] : new[] { peer });

    /// <summary>Who takes part: everybody of <see cref="Peers"/>, or whom the caller named.</summary>
    public IEnumerable<string> Chosen(string[]? named) => named is null ? Peers : AllPeers.Where(named.Contains);

    public int Rounds(int asked) => Math.Min(asked, MostRounds);
}

/// <summary>What is compared. Order within a round is shuffled; the order here is the order of the tables.</summary>
internal static class MeasurementCatalog
{
    public static IReadOnlyList<Measurement> All(bool quick)
    {
        var all = new List<Measurement>
        {
            new()
            {
                Key = "small-keep-alive", Title = "20 KiB Crashpad form, 64 kept connections", Input = "form-20k", Connections = 64,
                Peers = ["fastlistener", "fastlistener-kestrel", "fastlistener-buffered", "aspnet-tuned", "aspnet-documented", "aspnet-form", "node", "nginx", "c-log"],
            },
            new()
            {
                Key = "small-each", Title = "20 KiB Crashpad form, a connection each, 64 at a time", Input = "form-20k", Connections = 64, Each = true,
                Peers = ["fastlistener", "fastlistener-kestrel", "aspnet-tuned", "aspnet-documented", "aspnet-form", "node", "nginx"],
            },
            new()
            {
                Key = "small-one", Title = "20 KiB Crashpad form, one client at a time", Input = "form-20k", Connections = 1,
                Peers = ["fastlistener", "aspnet-tuned", "aspnet-documented", "node", "nginx", "c-log-1"],
            },
            new()
            {
                Key = "parse", Title = "20 KiB Crashpad form without a disk, 64 kept connections", Input = "form-20k", Connections = 64,
                Peers = ["fastlistener-parsers", "fastlistener-parse", "aspnet-parse", "aspnet-parse-documented"],
            },
            new()
            {
                Key = "medium", Title = "256 KiB form, 16 kept connections", Input = "form-256k", Connections = 16, WarmUpInput = "form-256k",
                Peers = ["fastlistener", "aspnet-tuned", "aspnet-documented", "node", "nginx"],
            },
            new()
            {
                Key = "large", Title = "256 MiB form, 2 at once", Input = "form-256m", Connections = 2, RequestsEach = quick ? 2 : 4, WarmUpInput = "form-32m",
                WarmUpRequestsEach = quick ? 1 : 48,
                Peers = ["fastlistener", "fastlistener-direct", "fastlistener-kestrel", "aspnet-tuned", "aspnet-documented", "node", "nginx", "c-receiver"],
            },
            new()
            {
                Key = "memory", Title = $"8 forms of {(quick ? "256 MiB" : "1 GiB")} at once, fresh processes", Input = quick ? "form-256m" : "form-1g", Connections = 8, RequestsEach = 1, WarmUpInput = "form-32m", WarmUpRequestsEach = 1,
                Peers = ["fastlistener", "aspnet-tuned", "nginx"], DeleteAfterEachStep = true,
            },
            new()
            {
                Key = "gzip", Title = "Crashpad's default: 45 attributes, gzip, chunked; 64 kept connections", Input = "crashpad-gzip", Connections = 64, WarmUpInput = "crashpad-gzip",
                Peers = ["fastlistener", "aspnet-gzip", "node-gzip"],
            },
            new()
            {
                Key = "tls-each", Title = "20 KiB Crashpad form over TLS, a connection each, sessions resumed, 32 at a time", Input = "form-20k", Connections = 32, Each = true, Tls = true,
                Peers = ["fastlistener", "aspnet-tuned", "nginx"],
            },
            new()
            {
                Key = "half", Title = "20 KiB Crashpad form at half of each one's own capacity, up to 256 connections", Input = "form-20k", Connections = 64, HalfOfCapacity = true,
                Peers = ["fastlistener", "aspnet-tuned", "aspnet-documented", "nginx"],
            },
            new()
            {
                Key = "allocations-keep-alive", Title = "Allocated by the server for each 20 KiB form, 64 kept connections", Input = "form-20k", Connections = 64,
                RequestsEach = quick ? 50 : 300, Allocations = true, Peers = ["fastlistener", "aspnet-tuned", "aspnet-documented"],
            },
            new()
            {
                Key = "allocations-each", Title = "Allocated by the server for each 20 KiB form, a connection each", Input = "form-20k", Connections = 64, Each = true,
                RequestsEach = quick ? 50 : 100, Allocations = true, Peers = ["fastlistener", "aspnet-tuned", "aspnet-documented"],
            },
        };
        foreach (var connections in new[] { 1, 10, 100, 500, 1000, 2000 })
        {
            all.Add(new Measurement
            {
                Key = $"connections-{connections}", Title = $"20 KiB Crashpad form, {connections:#,0} kept connections", Input = "form-20k", Connections = connections,
                Peers = ["fastlistener", "aspnet-tuned", "nginx"], MostRounds = 3,
            });
        }

        return all;
    }
}
