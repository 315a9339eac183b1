using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace FastListener.Load.Compare;

/// <summary>
/// Rounds of measurements. In each round every peer has its turn, in an order shuffled anew; nothing is deleted within a round, nor between two
/// unless the disk fills, and then it rests before it is measured again; round 0 does not count.
/// </summary>
/// <param name="run">One step: the measurement, whose turn it is, and the round.</param>
internal sealed class Comparison(Func<Measurement, Peer, int, Step> run, string work, int rounds, TextWriter log)
{
    private const long RoomForARound = 32L * 1024 * 1024 * 1024;
    private const long LeastFreeBytes = 12L * 1024 * 1024 * 1024;

    public List<Step> Steps { get; init; } = [];

    /// <summary>No measurement is begun after so long; null measures everything.</summary>
    public TimeSpan? Limit { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public Func<string, long> FreeBytes { get; init; } = path => new DriveInfo(path).AvailableFreeSpace;

    /// <summary>Told after each measurement.</summary>
    public Action? Measured { get; init; }

    /// <summary>Null when everything was measured; otherwise why not. What was measured is in <see cref="Steps"/> either way.</summary>
    /// <exception cref="InvalidOperationException">The disk is full.</exception>
    public string? Run(IReadOnlyList<Measurement> measurements, string[]? onlyPeers, string results, CancellationToken stop)
    {
        var began = Clock.GetTimestamp();
        try
        {
            foreach (var measurement in measurements)
            {
                if (Limit is { } limit && Clock.GetElapsedTime(began) >= limit)
                {
                    return string.Create(CultureInfo.InvariantCulture, $"no measurement was begun after {limit.TotalMinutes:0.##} minutes (--minutes)");
                }

                Measure(measurement, [.. measurement.Chosen(onlyPeers).Select(PeerCatalog.Get)], results, stop);
                Measured?.Invoke();
            }

            return null;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return "interrupted";
        }
    }

    private void Measure(Measurement measurement, Peer[] peers, string results, CancellationToken stop)
    {
        var counted = measurement.Rounds(rounds);
        log.WriteLine($"{measurement.Key}: {measurement.Title}; {peers.Length} peers, 1 + {counted} rounds");
        for (var round = 0; round <= counted; round++)
        {
            var order = (Peer[])peers.Clone();
            if (FreeBytes(work) < RoomForARound)
            {
                Clear(measurement);
            }

            new Random(unchecked((StableHash(measurement.Key) * 31) + round)).Shuffle(order);
            foreach (var peer in order)
            {
                stop.ThrowIfCancellationRequested();
                CheckSpace();
                var watch = Stopwatch.StartNew();
                var step = run(measurement, peer, round);

                // Ctrl+C reaches the servers, too: what failed with them is no step.
                stop.ThrowIfCancellationRequested();
                Steps.Add(step);
                log.WriteLine(Line(step, watch.Elapsed));
                File.AppendAllText(results, JsonSerializer.Serialize(step) + "\n");
            }
        }

        // Only now: deleting slows whoever creates files next, so it waits until this measurement is over, and the disk rests afterwards.
        Clear(measurement);
    }

    /// <summary>A P-256 pair for the TLS rows, the same for all.</summary>
    public static void MakeCertificate(string build)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        File.WriteAllText(Path.Combine(build, "certificate.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(build, "key.pem"), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>The same shuffle in every run: the runtime's own hash codes are seeded anew in each process.</summary>
    private static int StableHash(string text) => text.Aggregate(17, (hash, c) => unchecked((hash * 31) + c));

    private void Clear(Measurement measurement)
    {
        if (Directory.Exists(Path.Combine(work, measurement.Key)))
        {
            Directory.Delete(Path.Combine(work, measurement.Key), recursive: true);
            StepRunner.Settle();
        }
    }

    private void CheckSpace()
    {
        var free = FreeBytes(work);
        if (free < LeastFreeBytes)
        {
            throw new InvalidOperationException($"Only {free >> 30} GiB are free where {work} lies; {LeastFreeBytes >> 30} GiB must stay free.");
        }
    }

    private static string Line(Step step, TimeSpan took) => step.Problem is { } problem
        ? string.Create(CultureInfo.InvariantCulture, $"  round {step.Round} {step.Peer,-26} PROBLEM {problem}")
        : string.Create(CultureInfo.InvariantCulture, $"  round {step.Round} {step.Peer,-26} {step.Rate,10:#,0.0}/s {step.MebibytesPerSecond,8:0.0} MiB/s {step.CpuMicrosecondsPerRequest,9:0.0} us/req {step.CpuMillisecondsPerMebibyte,7:0.000} ms/MiB p99 {step.P99Milliseconds,8:0.00} ms {step.AnonymousMebibytes,6:0.0} MiB  {step.ReadBack} ({took.TotalSeconds:0} s)");
}
