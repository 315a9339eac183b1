namespace FastListener.Storage.Tests;

/// <summary>Runs alone: it counts what the whole process allocates.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests : IDisposable
{
    private readonly DataDirectory _data = new();

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task A_warm_store_allocates_little_per_submission()
    {
        await using var store = await _data.OpenAsync();
        var project = store.Project("acme", "game");
        var report = StoreActions.Bytes(20 * 1024);
        async Task RunAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                using var submission = store.Begin();
                submission.Project = project;
                for (var a = 0; a < 45; a++)
                {
                    submission.AddAttribute(AttributeSource.Field, "attribute"u8, "value"u8);
                }

                var payload = submission.AddPayload(PayloadKind.Report, "upload_file_minidump"u8, "x.dmp"u8, default);
                await payload.WriteAsync(report);
                await payload.CompleteAsync();
                await store.CommitAsync(submission);
            }
        }

        await RunAsync(100);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        await RunAsync(200);
        var perSubmission = (GC.GetTotalAllocatedBytes(precise: true) - before) / 200;
        Assert.InRange(perSubmission, 0, 1000);
    }
}
