using System.Diagnostics;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Abuse;

/// <summary>
/// A listener that is about to be abused: warm, its footprint known, and a client that behaves sending all the while. What is left of the
/// abuse when it is over is a failure.
/// </summary>
internal sealed class AbusedListener : IAsyncDisposable
{
    private const int Answers = 30;
    private readonly string _name;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    private AbusedListener(string name, TunedListener server, Footprint before, BehavedClient behaved)
    {
        _name = name;
        Server = server;
        Before = before;
        Behaved = behaved;
    }

    public TunedListener Server { get; }

    public int Port => Server.Port;

    public string Token => Server.Token;

    public int Pid => Server.Process.Pid;

    public BehavedClient Behaved { get; }

    /// <summary>What it took before.</summary>
    public Footprint Before { get; }

    public static async Task<AbusedListener> StartAsync(string name, params (string Name, string Value)[] settings)
    {
        var server = await TunedListener.StartAsync(settings);
        try
        {
            var behaving = await server.AddTokenAsync("behaved");
            Parallel.For(0, 64, index => Submit.Dump(server.Port, behaving, Submit.MadeDump(index, 20_000 * (1 + (index % 64)))).ReceiptOf()); // warm
            await Footprint.AssertRestsAsync(server.Process.Pid);
            var before = Footprint.Of(server.Process.Pid);
            return new(name, server, before, new BehavedClient(server.Port, behaving));
        }
        catch
        {
            await server.DisposeAsync(); // nobody else can end it
            throw;
        }
    }

    /// <summary>At the height of the abuse: who behaves is answered all the same.</summary>
    public async Task AssertServesAsync()
    {
        await Behaved.AnswersAsync(Answers);
        Say($"at its height {Footprint.Of(Pid)}");
    }

    /// <summary>The abuse is over, or the listener has ended it: everything is as before.</summary>
    /// <param name="moreMemory">What may have stayed in pools and the heap, bytes.</param>
    public async Task AssertComesBackAsync(long moreMemory = 16L * 1024 * 1024)
    {
        await Behaved.AnswersAsync(1);
        await Behaved.EndAsync();
        await Before.AssertComesBackAsync(Pid, moreMemory);
        await Eventually.TrueAsync(() => Server.Data.StagedFiles().Length == 0, "staging is empty");
        Assert.Equal("[]\n", AdminClient.Get(Server.AdminPort, "/requests").Body);
        Assert.Equal(200, AdminClient.Get(Server.AdminPort, "/readyz").Status);
        Assert.DoesNotContain("fault of ours", Server.Process.StandardError, StringComparison.Ordinal);
        Say($"before {Before}; after {Footprint.Of(Pid)}; {Behaved.Answered} answers to who behaves, the slowest after {Behaved.Slowest.TotalMilliseconds:0} ms");
    }

    public async ValueTask DisposeAsync()
    {
        Behaved.Stop();
        await Server.DisposeAsync();
        Behaved.Dispose();
    }

    private void Say(string what) => TestContext.Current.TestOutputHelper?.WriteLine($"{_name}, {_clock.Elapsed.TotalSeconds:0.0} s: {what}");
}
