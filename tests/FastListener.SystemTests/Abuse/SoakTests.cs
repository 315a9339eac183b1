using System.Diagnostics;
using System.Globalization;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Abuse;

/// <summary>
/// A long time of everything at once: memory, descriptors, threads and latency stay flat. FASTLISTENER_SOAK_SECONDS says how long (tests/soak.sh);
/// without it the test is skipped. It leaves a table and a picture in FASTLISTENER_SOAK_FOLDER.
/// </summary>
public sealed class SoakTests
{
    [Fact]
    public async Task Under_everything_at_once_memory_descriptors_threads_and_latency_stay_flat()
    {
        var wanted = Environment.GetEnvironmentVariable("FASTLISTENER_SOAK_SECONDS");
        Assert.SkipWhen(wanted is null, "FASTLISTENER_SOAK_SECONDS is not set.");
        var length = TimeSpan.FromSeconds(double.Parse(wanted, CultureInfo.InvariantCulture));
        var folder = Environment.GetEnvironmentVariable("FASTLISTENER_SOAK_FOLDER") ?? Path.Combine(Repository.Root, "tests", "soak");
        await using var server = await TunedListener.StartAsync(
            ("Deadlines__IdleSeconds", "10"), ("Deadlines__BodyGraceSeconds", "5"), ("Deadlines__MinBodyBytesPerSecond", "1000"), ("Deadlines__ReplySeconds", "5"),
            ("Limits__InflationGraceBytes", "8388608"), ("Overload__DegradeAfterSeconds", "1"));
        var tokens = await SoakTokens.AddAsync(server);
        var record = new SoakRecord();
        using var load = new SoakLoad(server, tokens);
        var pause = TimeSpan.FromSeconds(Math.Clamp(length.TotalSeconds / 360, 1, 10));
        var pid = server.Process.Pid;
        var clock = Stopwatch.StartNew();
        var (then, used) = (clock.Elapsed, ProcessFigures.CpuTime(pid));
        while (clock.Elapsed < length)
        {
            await Task.Delay(pause, TestContext.Current.CancellationToken);
            load.ThrowIfEnded();
            var latencies = load.TakeLatencies().Order().ToList();
            var (now, cpu) = (clock.Elapsed, ProcessFigures.CpuTime(pid));
            record.Add(new(
                now.TotalSeconds, ProcessFigures.ResidentMemory(pid), ProcessFigures.AnonymousMemory(pid), ProcessFigures.AllDescriptors(pid), ProcessFigures.Threads(pid),
                (cpu - used) / (now - then), latencies.Count, At(latencies, 0.5), At(latencies, 0.99), At(latencies, 1)));
            record.Write(folder, $"{now.TotalSeconds:0} s of everything at once");
            (then, used) = (now, cpu);
        }

        await load.EndAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"{load.Tally}");
        load.Tally.AssertAnswered();
        Assert.Equal(load.Tally.Answered("degraded: "), AdminClient.Metrics(server.AdminPort)
            .Where(metric => metric.Key.StartsWith("fastlistener_degraded_total", StringComparison.Ordinal)).Sum(metric => metric.Value));
        record.AssertFlat();
        await Footprint.AssertRestsAsync(pid);
        Assert.DoesNotContain("fault of ours", server.Process.StandardError, StringComparison.Ordinal);
        (await server.Data.VerifyAsync()).Expect();
        Assert.Equal(0, await server.Process.StopAsync());
        (await Command.FastListenerAsync("audit", "--data", server.Data.Location)).Expect();
    }

    private static double At(List<double> sorted, double share) => sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * share))];
}
