namespace FastListener.Storage.Tests;

/// <summary>
/// A power cut before every single call to the device. Covers packs, payload files, directories and their order with respect to the catalog's commits;
/// SQLite's own durability is taken as it is.
/// </summary>
public sealed class PowerCutTests : IDisposable
{
    // The simulation needs no real durability: memory is the fastest place for it.
    private readonly string _root = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), "fl-" + Guid.NewGuid().ToString("N"));

    public void Dispose() => Directory.Delete(_root, recursive: true);

    /// <param name="loss">What is lost.</param>
    /// <param name="together">Whether several are committed in one batch, or each alone.</param>
    [Theory]
    [InlineData(Loss.Everything, false)]
    [InlineData(Loss.Nothing, false)]
    [InlineData(Loss.HalfOfTheData, false)]
    [InlineData(Loss.EverythingAndTheLog, false)]
    [InlineData(Loss.Everything, true)]
    [InlineData(Loss.Nothing, true)]
    [InlineData(Loss.HalfOfTheData, true)]
    [InlineData(Loss.EverythingAndTheLog, true)]
    public async Task Whatever_was_acknowledged_survives_a_cut_before_any_call(Loss loss, bool together)
    {
        long cuts = 0;
        for (long cut = 1; await CutAsync(cut, loss, together, forgetDirectories: false, forgetData: false) is var (_, wasCut) && wasCut; cut++)
        {
            cuts = cut;
        }

        Assert.True(cuts > 50, $"only {cuts} calls");
    }

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(true, false, true)]
    [InlineData(false, true, true)]
    public async Task A_store_that_left_out_a_sync_would_be_caught(bool directories, bool data, bool together)
    {
        for (long cut = 20; await CutAsync(cut, Loss.Everything, together, directories, data) is var (failure, wasCut); cut += 3)
        {
            if (failure is not null)
            {
                return;
            }

            Assert.True(wasCut, "No cut showed the missing sync.");
        }
    }

    private async Task<(Exception? Failure, bool WasCut)> CutAsync(long cut, Loss loss, bool together, bool forgetDirectories, bool forgetData)
    {
        var before = Path.Combine(_root, $"{cut}");
        var after = Path.Combine(_root, $"{cut}-after");
        Directory.CreateDirectory(before);
        var device = new PowerCutDevice(before, cut)
        {
            ForgetDirectorySyncs = forgetDirectories,
            ForgetDataSyncs = forgetData,
            AtCut = self => self.Survive(after, loss),
        };
        var acked = new List<Sent>();
        var attached = new List<(long, byte[])>();
        try
        {
            await using var store = await ObjectStore.OpenAsync(Scenario.Options(before), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, null, device);
            (acked, attached, _) = together ? await Scenario.RunTogetherAsync(store, device) : await Scenario.RunAsync(store);
            if (together && !device.IsCut)
            {
                Scenario.AssertTogether(store);
            }
        }
        catch (StorageFaultException) when (device.IsCut)
        {
            // Opening was cut.
        }

        if (!Directory.Exists(after))
        {
            device.Survive(after, loss);
        }

        try
        {
            await using (var reopened = await ObjectStore.OpenAsync(Scenario.Options(after), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance))
            {
                Scenario.AssertKept(after, acked, attached);
                acked.Add(await reopened.SubmitAsync(StoreActions.Bytes(2500, 99)));
            }

            Scenario.AssertKept(after, acked, attached);
            Assert.Empty(Directory.EnumerateDirectories(Path.Combine(after, "staging")));
        }
        catch (Exception failure) when (forgetData || forgetDirectories)
        {
            return (failure, device.IsCut);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"Cut before call {cut}: {failure.Message}", failure);
        }

        Directory.Delete(before, recursive: true);
        Directory.Delete(after, recursive: true);
        return (null, device.IsCut);
    }
}
