using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using FastListener.Load.Engines;
using FastListener.Load.Inputs;
using FastListener.Load.Measuring;
using FastListener.Load.Scenarios;
using FastListener.Load.Sockets;

namespace FastListener.Load.Compare;

/// <summary>Lengths of one comparison's steps.</summary>
internal sealed record StepLengths(TimeSpan WarmUp, TimeSpan Measure);

/// <summary>One step: fresh directory, fresh server, warm-up, measurement, stop, read-back.</summary>
internal sealed class StepRunner(string root, string work, string build, string listener, StepLengths lengths, CancellationToken stop)
{
    private const string MemoryRoot = "/dev/shm";
    private static readonly byte[] s_ok = "\"response\":\"ok\""u8.ToArray();
    private readonly SocketEngine _engine = new();
    private ulong _sequence = 1;

    public Step Run(Measurement measurement, Peer peer, int round)
    {
        var parent = peer.InMemory ? Path.Combine(MemoryRoot, $"fastlistener-load-{Environment.ProcessId}") : work;
        var directory = Path.Combine(parent, measurement.Key, string.Create(CultureInfo.InvariantCulture, $"{round:00}-{peer.Key}"));
        Directory.CreateDirectory(directory);
        Settle();
        try
        {
            return peer.Stored == StoredAs.CLog ? RunProgram(measurement, peer, round, directory) : RunServer(measurement, peer, round, directory);
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or SocketException or System.ComponentModel.Win32Exception or JsonException or FormatException)
        {
            return new Step(measurement.Key, peer.Key, round, DateTimeOffset.UtcNow) { Problem = e.Message };
        }
        finally
        {
            if (peer.InMemory || measurement.DeleteAfterEachStep)
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    private Step RunServer(Measurement measurement, Peer peer, int round, string directory)
    {
        var place = new PeerPlace(
            directory, PeerProcess.FreePort(), measurement.Tls, Path.Combine(build, "certificate.pem"), Path.Combine(build, "key.pem"), build, Path.Combine(root, "load", "peers"), listener);
        var start = peer.Start(place);
        var hook = Path.Combine(Path.GetTempPath(), $"peer-{Environment.ProcessId}-{place.Port}.socket");
        if (measurement.Allocations)
        {
            start.Environment["DOTNET_STARTUP_HOOKS"] = Path.Combine(build, "allocations", "peer-allocations.dll");
            start.Environment["PEER_ALLOCATIONS_SOCKET"] = hook;
        }

        var acknowledged = new List<Acknowledgements>();
        Step step;
        var body = InputCatalog.Get(measurement.Input);
        using (var server = PeerProcess.Start(start, place.Port, peer.Title))
        {
            Warm(measurement, peer, place, server, acknowledged);
            var before = measurement.Allocations ? Allocated(hook) : 0;
            var result = Measure(measurement, peer, place, server, body, acknowledged);
            step = Step.From(measurement.Key, peer.Key, round, result);
            if (measurement.Allocations)
            {
                step = step with { AllocatedPerRequest = (double)(Allocated(hook) - before) / Math.Max(1, result.Answered + result.AnsweredLate) };
            }

            if (result.Failed > 0)
            {
                var reasons = string.Join(", ", result.Populations.SelectMany(p => p.Recorder.Errors).Select(e => $"{e.Value} x {e.Key}"));
                step = step with { Problem = $"{result.Failed} failed: {reasons}; server: {server.Said()}" };
            }
        }

        File.Delete(hook);
        var verified = ReadBack.Check(peer, place, acknowledged);
        return verified.Good ? step with { ReadBack = verified.Words } : step with { ReadBack = verified.Words, Problem = $"read-back: {verified.Words}" };
    }

    private void Warm(Measurement measurement, Peer peer, PeerPlace place, PeerProcess server, List<Acknowledgements> acknowledged)
    {
        var input = InputCatalog.Get(measurement.WarmUpInput);
        var connections = Math.Min(64, measurement.Connections);
        var warming = measurement.WarmUpRequestsEach is { } each
            ? new ClosedLoop(connections, TimeSpan.FromMinutes(10), each)
            : new ClosedLoop(connections, lengths.WarmUp);
        Load(peer, place, server, input, warming, measurement.Each, acknowledged);

        // What the warm-up left dirty is not the measurement's to write.
        Settle();
    }

    private ScenarioResult Measure(Measurement measurement, Peer peer, PeerPlace place, PeerProcess server, SubmissionBody body, List<Acknowledgements> acknowledged)
    {
        var closed = measurement.RequestsEach is { } each
            ? new ClosedLoop(measurement.Connections, TimeSpan.FromMinutes(10), each)
            : new ClosedLoop(measurement.Connections, lengths.Measure);
        var result = Load(peer, place, server, body, closed, measurement.Each, acknowledged);
        if (!measurement.HalfOfCapacity)
        {
            return result;
        }

        Settle();
        var rate = Math.Max(1, result.Rate / 2);
        return Load(peer, place, server, body, new OpenLoop([new RateStage(rate, rate, lengths.Measure)], 256, 100_000), measurement.Each, acknowledged);
    }

    private ScenarioResult Load(Peer peer, PeerPlace place, PeerProcess server, SubmissionBody body, Workload workload, bool each, List<Acknowledgements> acknowledged)
    {
        var target = LoopbackTarget.Parse(place.Url);
        var path = peer.Target
            .Replace("{format}", body.Format, StringComparison.Ordinal)
            .Replace("{token}", PeerCatalog.Token, StringComparison.Ordinal);
        var scenario = new Scenario
        {
            Name = peer.Key,
            Description = peer.Title,
            Target = target,
            FirstSequence = _sequence,
            RequestTimeout = TimeSpan.FromMinutes(5),
            Drain = TimeSpan.FromSeconds(60),
            Populations =
            [
                new Population
                {
                    Name = peer.Title,
                    Request = RequestTemplate.Build(body, peer.Method, path, target.Host, each, peer.Expected, peer.AnswersOk ? s_ok : null),
                    Workload = workload,
                    OneConnectionEach = each,
                },
            ],
        };
        var result = _engine.Run(scenario, server.Id, null, stop);
        _sequence += (ulong)result.Offered;
        acknowledged.Add(new Acknowledgements(body, result.Populations[0].Recorder.Acknowledged.ToArray()));
        stop.ThrowIfCancellationRequested();
        return result;
    }

    private Step RunProgram(Measurement measurement, Peer peer, int round, string directory)
    {
        var place = new PeerPlace(directory, 0, false, "", "", build, "", listener);
        var start = peer.Start(place);
        start.ArgumentList.Add(lengths.Measure.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        var result = JsonSerializer.Deserialize<CLogResult>(Output(start, peer.Title), JsonSerializerOptions.Web) ?? throw new InvalidOperationException($"{peer.Title} said nothing.");
        var check = new ProcessStartInfo(start.FileName, ["--verify", directory, result.Objects.ToString(CultureInfo.InvariantCulture)]);
        _ = Output(check, peer.Title);
        return new Step(measurement.Key, peer.Key, round, DateTimeOffset.UtcNow)
        {
            Rate = result.Objects / result.Seconds,
            MebibytesPerSecond = result.Objects / result.Seconds * 20 / 1024,
            CpuMicrosecondsPerRequest = result.CpuSeconds * 1e6 / Math.Max(1, result.Objects),
            CpuMillisecondsPerMebibyte = result.CpuSeconds * 1e3 / Math.Max(1, result.Objects * 20 / 1024.0),
            ReadBack = string.Create(CultureInfo.InvariantCulture, $"{result.Objects:#,0} read back{(result.Direct ? "" : " (buffered: no O_DIRECT here)")}"),
        };
    }

    private static string Output(ProcessStartInfo start, string title)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{title} does not start.");
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{title} ended with {process.ExitCode}: {error.Result}");
    }

    private static long Allocated(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        var buffer = new byte[64];
        var total = 0;
        for (var got = socket.Receive(buffer); got > 0; got = socket.Receive(buffer.AsSpan(total)))
        {
            total += got;
        }

        return long.Parse(Encoding.ASCII.GetString(buffer, 0, total), CultureInfo.InvariantCulture);
    }

    /// <summary>Everything dirty goes to the disk, and then the disk is let come to rest, for ten seconds at most.</summary>
    public static void Settle()
    {
        using (var sync = Process.Start("sync"))
        {
            sync.WaitForExit();
        }

        var before = SectorsWritten();
        for (var patience = 0; patience < 20; patience++)
        {
            Thread.Sleep(500);
            var now = SectorsWritten();
            if (now - before < 2048)
            {
                return;
            }

            before = now;
        }
    }

    private static long SectorsWritten() => !File.Exists("/proc/diskstats") ? 0 : File.ReadLines("/proc/diskstats")
        .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Where(f => f.Length > 9 && !f[2].StartsWith("loop", StringComparison.Ordinal))
        .Sum(f => long.Parse(f[9], CultureInfo.InvariantCulture));

    private sealed record CLogResult(long Objects, double Seconds, double CpuSeconds, bool Direct);
}
