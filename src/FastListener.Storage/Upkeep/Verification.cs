using FastListener.Storage.Catalog;

namespace FastListener.Storage;

/// <summary>Re-reads everything committed and compares it with its checksums; works while a server runs.</summary>
public static class Verification
{
    private const int MaxWorkers = 2; // more would take the disk and the processors from a server beside it

    /// <summary>Reads the whole store. Damage is reported, never repaired and never dropped.</summary>
    public static VerificationReport Run(string dataDirectory, IProgress<UpkeepProgress>? progress = null, CancellationToken cancel = default)
    {
        using var reader = StoreReader.Open(dataDirectory);
        var pages = new VerificationPages(reader.Catalog, progress);
        if (pages.CheckCatalog())
        {
            var workers = new Task[Math.Min(MaxWorkers, Environment.ProcessorCount)];
            for (var i = 0; i < workers.Length; i++)
            {
                workers[i] = Task.Factory.StartNew(
                    () =>
                    {
                        using var worker = new VerificationWorker(new StoreLayout(dataDirectory), pages, cancel);
                        worker.Run();
                    },
                    CancellationToken.None,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default);
            }

            Task.WhenAll(workers).GetAwaiter().GetResult();
        }

        return pages.Finish();
    }
}
