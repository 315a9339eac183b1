using System.Diagnostics;

namespace FastListener.Load.Measuring;

/// <summary>Cores in use and anonymous memory at one moment of a run.</summary>
internal sealed record UsagePoint(double Seconds, double ServerCores, double GeneratorCores, long ServerAnonymousBytes);

/// <summary>Watches the server (when its process is known) and this process, four times a second, on a thread of its own.</summary>
internal sealed class UsageSampler : IDisposable
{
    private static readonly TimeSpan s_every = TimeSpan.FromMilliseconds(250);
    private readonly ProcessTree? _server;
    private readonly List<UsagePoint> _points = [];
    private readonly ManualResetEventSlim _stop = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Thread _thread;
    private readonly double _serverStart;
    private readonly double _generatorStart;
    private readonly Lock _lock = new();
    private long _peak;

    public UsageSampler(int? serverProcess)
    {
        _server = serverProcess is { } pid ? new ProcessTree(pid) : null;
        _serverStart = _server?.CpuSeconds() ?? 0;
        _generatorStart = OwnSeconds();
        _peak = _server?.AnonymousBytes() ?? 0;
        _thread = new Thread(Watch) { IsBackground = true, Name = "usage sampler" };
        _thread.Start();
    }

    public bool KnowsServer => _server is not null;

    public IReadOnlyList<UsagePoint> Points
    {
        get
        {
            lock (_lock)
            {
                return [.. _points];
            }
        }
    }

    public long PeakAnonymousBytes => Volatile.Read(ref _peak);

    /// <summary>CPU seconds of server and generator since the start.</summary>
    public (double Server, double Generator) Used() => ((_server?.CpuSeconds() ?? 0) - _serverStart, OwnSeconds() - _generatorStart);

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private static double OwnSeconds()
    {
        var usage = Environment.CpuUsage;
        return usage.TotalTime.TotalSeconds;
    }

    private void Watch()
    {
        double lastAt = 0, lastServer = 0, lastGenerator = 0;
        while (!_stop.Wait(s_every))
        {
            var at = _clock.Elapsed.TotalSeconds;
            var (server, generator) = Used();
            var anonymous = _server?.AnonymousBytes() ?? 0;
            if (anonymous > _peak)
            {
                Volatile.Write(ref _peak, anonymous);
            }

            lock (_lock)
            {
                _points.Add(new UsagePoint(at, (server - lastServer) / (at - lastAt), (generator - lastGenerator) / (at - lastAt), anonymous));
            }

            (lastAt, lastServer, lastGenerator) = (at, server, generator);
        }
    }
}
