using System.Collections.Concurrent;

namespace FastListener.Storage.Tests;

/// <summary>Which thread a large upload goes on with after a write.</summary>
public sealed class FileThreadTests : IDisposable
{
    private const int WriteBytes = 64 * 1024;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task An_upload_whose_bytes_are_there_is_filled_and_written_by_one_thread()
    {
        var writers = new ConcurrentDictionary<int, int>();
        var device = new TestDevice();
        await using var store = await _data.OpenAsync(Options(fileThreads: 4), device);
        device.Before = (call, path) =>
        {
            if (call == "write" && path.Contains("staging", StringComparison.Ordinal))
            {
                writers.AddOrUpdate(Environment.CurrentManagedThreadId, 1, (_, count) => count + 1);
            }
        };

        var fillers = new HashSet<int>();
        await Elsewhere(async () =>
        {
            using var submission = store.Begin();
            var payload = submission.AddPayload(PayloadKind.Report, "report"u8, default, default);
            var bytes = StoreActions.Bytes(WriteBytes);
            for (var i = 0; i < 64; i++)
            {
                await payload.WriteAsync(bytes).ConfigureAwait(false);
                if (i >= 32)
                {
                    fillers.Add(Environment.CurrentManagedThreadId);
                    Assert.True(ObjectStore.OnSpareFileThread);
                }
            }
        });

        Assert.Single(fillers);
        Assert.True(writers.GetValueOrDefault(fillers.Single()) >= 32, $"Writes by thread: {string.Join(", ", writers)}");
    }

    [Fact]
    public async Task An_upload_that_never_waits_makes_way_for_another_one_on_the_only_file_thread()
    {
        await using var store = await _data.OpenAsync(Options(fileThreads: 1));
        using var endless = store.Begin();
        var first = endless.AddPayload(PayloadKind.Report, "report"u8, default, default);
        var bytes = StoreActions.Bytes(WriteBytes);
        var onThread = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = new CancellationTokenSource();
        var running = Elsewhere(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await first.WriteAsync(bytes).ConfigureAwait(false);
                onThread.TrySetResult();
            }
        });
        await onThread.Task;

        Sent sent;
        try
        {
            sent = await store.SubmitAsync(StoreActions.Bytes(16 * WriteBytes, 2)).WaitAsync(s_patience, TestContext.Current.CancellationToken);
        }
        finally
        {
            await stop.CancelAsync();
            await running;
        }

        using var reader = StoreReader.Open(_data.Path);
        reader.AssertHolds(sent);
    }

    [Fact]
    public async Task Files_that_come_before_an_idle_thread_has_woken_are_written_at_once_by_as_many_threads_as_there_may_be()
    {
        const int Files = 8;
        var bytes = StoreActions.Bytes(WriteBytes + 4096); // a full buffer goes to a file thread, the rest waits
        for (var round = 0; round < 10; round++)
        {
            using var together = new Barrier(Files);
            var device = new TestDevice();
            await using var store = await _data.OpenAsync(Options(fileThreads: Files), device);
            await Elsewhere(() => WriteAsync(store, 1, bytes)); // a thread or two that wait for more
            device.Before = (call, path) =>
            {
                if (call == "write" && path.Contains("staging", StringComparison.Ordinal) && !together.SignalAndWait(TimeSpan.FromSeconds(20)))
                {
                    throw new StorageFaultException(StorageFaultKind.InputOutput, "One file waited for another, although there might have been a thread for it.");
                }
            };
            await Elsewhere(() => WriteAsync(store, Files, bytes));
        }
    }

    /// <summary>Begins so many files without waiting for any, waits for all, and gives them up.</summary>
    private static async Task WriteAsync(ObjectStore store, int files, byte[] bytes)
    {
        var submissions = Enumerable.Range(0, files).Select(_ => store.Begin()).ToList();
        var writes = new List<Task>();
        foreach (var submission in submissions)
        {
            writes.Add(WriteOneAsync(submission.AddPayload(PayloadKind.Report, "report"u8, default, default)));
        }

        await Task.WhenAll(writes);
        submissions.ForEach(submission => submission.Dispose());

        async Task WriteOneAsync(Payload payload)
        {
            await payload.WriteAsync(bytes);
            await payload.CompleteAsync(); // waits for that write, and makes one of its own
        }
    }

    /// <summary>Away from the runner's synchronisation context, as a server's code is.</summary>
    private static Task Elsewhere(Func<Task> work) => Task.Run(work, TestContext.Current.CancellationToken).WaitAsync(s_patience, TestContext.Current.CancellationToken);

    private StoreOptions Options(int fileThreads) =>
        _data.Options with { FileThreads = fileThreads, InlineLimitBytes = 4096, LargeBufferBytes = WriteBytes };
}
