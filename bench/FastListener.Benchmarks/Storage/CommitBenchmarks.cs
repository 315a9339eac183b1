using BenchmarkDotNet.Attributes;
using FastListener.Benchmarks.Running;
using FastListener.Storage;
using FastListener.TestInputs;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastListener.Benchmarks.Storage;

/// <summary>
/// Whole submissions, 45 attributes and 20 KiB each, from <c>Begin</c> to a durable receipt. One operation is a batch. With a batch of 1
/// each is awaited before the next begins: what one client at a time sees. Larger batches are full because enough others wait.
/// The peer stores a file per object, from as many threads as a batch has objects.
/// </summary>
[MemoryDiagnoser]
public class CommitBenchmarks
{
    private const int Batches = 32;
    private const int PayloadBytes = 20 * 1024;

    private readonly byte[] _payload = SeededBytes.DumpLike(PayloadBytes, 45);
    private readonly Queue<ValueTask<Receipt>> _waiting = [];
    private ObjectStore? _store;
    private ProjectKey? _project;
    private FilePerObject? _files;

    [Params(1, 8, 64)]
    public int Batch { get; set; }

    [GlobalSetup]
    public async Task Setup()
    {
        _files = new FilePerObject(DiskRoom.NewDirectory("file-per-object"));
        var options = new StoreOptions { DataDirectory = DiskRoom.NewDirectory("commit"), MaxBatchObjects = Batch };
        _store = await ObjectStore.OpenAsync(options, NullLogger.Instance);
        _project = _store.Project("local", "crashes");
        await CheckAsync(options.DataDirectory);
    }

    [IterationSetup]
    public void Settle()
    {
        // Makes one invocation one iteration: what goes to the disk stays bounded.
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        var statistics = _store!.Statistics;
        Console.WriteLine($"// Objects per batch, really: {(double)statistics.Objects / Math.Max(1, statistics.Batches):F1} of {Batch}");
        await _store.DisposeAsync();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Batches)]
    public void FileEach()
    {
        var threads = new Thread[Batch];
        Exception? fault = null;
        for (var i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(() =>
            {
                try
                {
                    for (var n = 0; n < Batches; n++)
                    {
                        _files!.Store(_payload);
                    }
                }
                catch (IOException exception)
                {
                    fault = exception;
                }
            });
            threads[i].Start();
        }

        foreach (var thread in threads)
        {
            thread.Join();
        }

        if (fault is not null)
        {
            throw new IOException("A file was not stored.", fault);
        }
    }

    [Benchmark(OperationsPerInvoke = Batches)]
    public async Task FastListener()
    {
        var window = Batch == 1 ? 1 : Batch * 4;
        for (var i = 0; i < Batches * Batch; i++)
        {
            if (_waiting.Count == window)
            {
                await _waiting.Dequeue();
            }

            _waiting.Enqueue(await SubmitAsync());
        }

        while (_waiting.TryDequeue(out var receipt))
        {
            await receipt;
        }

        async ValueTask<ValueTask<Receipt>> SubmitAsync()
        {
            var submission = _store!.Begin();
            submission.Project = _project;
            submission.Format = ObjectFormat.Minidump;
            foreach (var (name, value) in CrashpadAttributes.All)
            {
                submission.AddAttribute(AttributeSource.Field, name, value);
            }

            var report = submission.AddPayload(PayloadKind.Report, "upload_file_minidump"u8, "crash.dmp"u8, "application/octet-stream"u8);
            await report.WriteAsync(_payload);
            await report.CompleteAsync();
            return _store.CommitAsync(submission);
        }
    }

    /// <summary>What is stored must read back, or the numbers are those of something else.</summary>
    private async Task CheckAsync(string directory)
    {
        await FastListener();
        using var reader = StoreReader.Open(directory);
        var last = reader.All().Last();
        using var bytes = reader.OpenPayload(last.Payloads[0]);
        var read = new byte[PayloadBytes + 1];
        if (bytes.ReadAtLeast(read, read.Length, throwOnEndOfStream: false) != PayloadBytes
            || !read.AsSpan(0, PayloadBytes).SequenceEqual(_payload)
            || last.Attributes.Count != CrashpadAttributes.Count)
        {
            throw new InvalidOperationException("What was stored reads back differently.");
        }
    }
}
