namespace FastListener.Load.Compare;

/// <summary>The figure of one step that a table or a goal is about.</summary>
internal enum Figure
{
    Rate,
    MebibytesPerSecond,
    CpuPerRequest,
    CpuPerMebibyte,
    P99,
    AnonymousMebibytes,
    AllocatedPerRequest,
    Resumed,
}

/// <summary>
/// A figure the listener is to reach: its own, or its ratio to a peer's in the same round. Floor and aim are what this project asks of itself;
/// null is "reported, never judged".
/// </summary>
internal sealed record Goal(string Words, string Measurement, string Peer, string? Against, Figure Figure, double? Floor, double? Aim)
{
    /// <summary>Rates should be high; all else low.</summary>
    public bool HigherIsBetter => Figure is Figure.Rate or Figure.MebibytesPerSecond;

    /// <summary>What came of it; null when it was not measured.</summary>
    public Spread? Value(IReadOnlyList<Step> steps) => Against is null
        ? Spread.Own(steps, Measurement, Peer, Figure)
        : Spread.Ratio(steps, Measurement, Peer, Against, Figure);

    public bool Reaches(double bound, double value) => HigherIsBetter ? value >= bound : value <= bound;

    public static IReadOnlyList<Goal> All { get; } =
    [
        new("20 KiB, keep-alive, 64 connections: rate / ASP.NET tuned", "small-keep-alive", "fastlistener", "aspnet-tuned", Figure.Rate, 4, 8),
        new("the same / ASP.NET as documented", "small-keep-alive", "fastlistener", "aspnet-documented", Figure.Rate, 7, 12),
        new("the same / ASP.NET ReadFormAsync", "small-keep-alive", "fastlistener", "aspnet-form", Figure.Rate, null, null),
        new("the same / Node, busboy", "small-keep-alive", "fastlistener", "node", Figure.Rate, null, null),
        new("the same / nginx PUT, not synced", "small-keep-alive", "fastlistener", "nginx", Figure.Rate, null, null),
        new("20 KiB, one connection each: rate / ASP.NET tuned", "small-each", "fastlistener", "aspnet-tuned", Figure.Rate, 2.5, 5),
        new("the same / nginx PUT, not synced", "small-each", "fastlistener", "nginx", Figure.Rate, null, null),
        new("20 KiB, one client at a time: rate / ASP.NET tuned", "small-one", "fastlistener", "aspnet-tuned", Figure.Rate, 1.1, 2),
        new("the same / bare C log, one thread", "small-one", "fastlistener", "c-log-1", Figure.Rate, null, null),
        new("20 KiB, keep-alive: rate / bare C log with O_DIRECT", "small-keep-alive", "fastlistener", "c-log", Figure.Rate, 0.5, 0.85),
        new("server CPU per durable 20 KiB / ASP.NET tuned", "small-keep-alive", "fastlistener", "aspnet-tuned", Figure.CpuPerRequest, 0.2, 0.08),
        new("parse and receive only, CPU per 20 KiB / ASP.NET MultipartReader as documented", "parse", "fastlistener-parsers", "aspnet-parse-documented", Figure.CpuPerRequest, 0.3, 0.15),
        new("the same / ASP.NET MultipartReader tuned", "parse", "fastlistener-parsers", "aspnet-parse", Figure.CpuPerRequest, 0.3, 0.15),
        new("the same with token, attributes, checksum and the report held / ASP.NET tuned, which forgets", "parse", "fastlistener-parse", "aspnet-parse", Figure.CpuPerRequest, null, null),
        new("256 KiB x 16 connections: rate / ASP.NET tuned", "medium", "fastlistener", "aspnet-tuned", Figure.Rate, 2.5, 4),
        new("256 MiB x 2: rate / ASP.NET tuned", "large", "fastlistener", "aspnet-tuned", Figure.MebibytesPerSecond, 1.4, 2),
        new("256 MiB x 2: rate / bare C socket to file, early write-back and sync", "large", "fastlistener", "c-receiver", Figure.MebibytesPerSecond, 0.8, 1.0),
        new("256 MiB x 2: rate / nginx PUT, not synced", "large", "fastlistener", "nginx", Figure.MebibytesPerSecond, null, null),
        new("server CPU per MiB, large / ASP.NET tuned", "large", "fastlistener", "aspnet-tuned", Figure.CpuPerMebibyte, 0.6, 0.35),
        new("allocated bytes per 20 KiB request, keep-alive", "allocations-keep-alive", "fastlistener", null, Figure.AllocatedPerRequest, 2048, 300),
        new("allocated bytes per 20 KiB request, one connection each", "allocations-each", "fastlistener", null, Figure.AllocatedPerRequest, 8192, 4500),
        new("anonymous memory with 8 x 1 GiB at once, MiB", "memory", "fastlistener", null, Figure.AnonymousMebibytes, 64, 24),
        new("TLS, one connection each, resumed: rate / nginx PUT, not synced", "tls-each", "fastlistener", "nginx", Figure.Rate, null, null),
        new("the same: server CPU / nginx PUT", "tls-each", "fastlistener", "nginx", Figure.CpuPerRequest, null, null),
        new("gzip, chunked Crashpad form: rate / ASP.NET with request decompression", "gzip", "fastlistener", "aspnet-gzip", Figure.Rate, null, null),
        new("the same: server CPU / ASP.NET", "gzip", "fastlistener", "aspnet-gzip", Figure.CpuPerRequest, null, null),
        new("p99 at half of capacity, ms", "half", "fastlistener", null, Figure.P99, null, null),
        new("the same / ASP.NET tuned at half of its capacity", "half", "fastlistener", "aspnet-tuned", Figure.P99, null, null),
    ];
}
