using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Restart;

/// <summary>The power goes, each time in another shape of load: what was acknowledged is on the disk.</summary>
public sealed class PowerCutTests
{
    private const int ImageMebibytes = 4096; // as large as what is stored: of the rest there is nothing in the file
    private const int MostCuts = 25; // of one image: each makes a copy of it and reads all that is there
    private const int Stop = 19;
    private const int Continue = 18;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whatever_was_acknowledged_outlives_a_power_cut(bool pastThePageCache)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"FASTLISTENER_SEED={Rounds.Seed}");
        var lost = await CutAsync(Rounds.Cuts, Repository.Program, Switched(pastThePageCache));
        Assert.True(lost is null, lost);
    }

    [Fact]
    public async Task Whatever_was_acknowledged_outlives_a_power_cut_without_a_journal()
    {
        var lost = await CutAsync(LoadShape.All.Count, Repository.Program, [], journal: false);
        Assert.True(lost is null, lost);
    }

    /// <summary>
    /// The tests can fail: a program whose syncs do nothing is caught. A journal carries renames along with whatever is synced next,
    /// so that only a file system without one shows that a directory was forgotten. What is written past the page cache is in the image
    /// at once, and SQLite's own sync carries its extents along, so that only writes through the page cache show a forgotten file.
    /// </summary>
    [Theory]
    [InlineData("file", true)]
    [InlineData("directory", false)]
    public async Task A_listener_that_forgets_to_sync_is_caught(string what, bool journal)
    {
        using var folder = new DataDirectory();
        var program = await ForgetfulProgram.TryMakeAsync(folder.Scratch("forgetful"));
        Assert.SkipWhen(program is null, "No C compiler to make the forgetful copy of the program with.");
        var lost = await CutAsync(6, program, new(Switched(pastThePageCache: false)) { ["LOST_SYNC"] = what }, journal);
        Assert.True(lost is not null, $"Six power cuts did not notice that {what} syncs were left out.");
        TestContext.Current.TestOutputHelper?.WriteLine($"Noticed: {lost}");
    }

    private static Dictionary<string, string> Switched(bool pastThePageCache) => new()
    {
        ["FASTLISTENER_Storage__DirectPacks"] = pastThePageCache ? "true" : "false",
        ["FASTLISTENER_Storage__DirectFiles"] = pastThePageCache ? "true" : "false",
    };

    /// <summary>Null when all was kept through every cut; else what the first failing check said.</summary>
    private static async Task<string?> CutAsync(
        int rounds, string program, Dictionary<string, string> environment, bool journal = true)
    {
        var random = new Random(Rounds.Seed);
        string? lost = null;
        for (; rounds > 0 && lost is null; rounds -= MostCuts)
        {
            lost = await CutOneImageAsync(Math.Min(rounds, MostCuts), random, program, environment, journal);
        }

        return lost;
    }

    private static async Task<string?> CutOneImageAsync(
        int rounds, Random random, string program, Dictionary<string, string> environment, bool journal)
    {
        using var folder = new DataDirectory();
        var (image, reason) = await LoopImage.TryCreateAsync(Directory.CreateDirectory(folder.Scratch("power")).FullName, ImageMebibytes, journal);
        Assert.SkipWhen(image is null, reason);
        await using (image)
        {
            using var data = new DataDirectory(Path.Combine(image.Mount, "data"));
            var load = new UploadLoad(await data.AddTokenAsync("game", "error:post"));
            await using var listener = await ListenerProcess.StartProgramAsync(program, data.Location, environment);
            for (var round = 1; round <= rounds; round++)
            {
                var shape = LoadShape.Of(round);
                load.Start(listener.HttpPort, shape);
                await load.AnswersAsync(shape.Answers(random.Next(3, 40)));

                // Every other time right after the last answer: under load the next request's sync would hide a missing one.
                if (round % 2 == 0)
                {
                    await load.StopAsync();
                }

                var promise = load.Acknowledged();
                listener.Signal(Stop);
                var copy = await image.CopyAsync(folder.Scratch("copy.img"));
                listener.Signal(Continue);
                await load.StopAsync();
                if (await CheckAsync(copy, folder.Scratch("copy"), load, promise, journal) is { } lost)
                {
                    return $"Cut {round} ({shape.Name}, {(round % 2 == 0 ? "after the last answer" : "under load")}): {lost}";
                }
            }

            Assert.Empty(load.Refusals);
            TestContext.Current.TestOutputHelper?.WriteLine($"Answers: {load}");
            return null;
        }
    }

    private static async Task<string?> CheckAsync(string copy, string mount, UploadLoad load, Promise promise, bool journal)
    {
        await using var image = await LoopImage.MountCopyAsync(copy, mount, journal);
        using var folder = new DataDirectory();
        var place = Path.Combine(image.Mount, "data");
        var unreadable = "";
        if (!journal)
        {
            // Directories that nothing promised lies in need not be readable: what does lie in them is missed below.
            unreadable = (await Command.RunAsync("cp", ["-a", "--sparse=always", place, folder.Scratch("data")])).Error;
            place = folder.Scratch("data");
        }

        using var data = new DataDirectory(place);
        try
        {
            await using var listener = await ListenerProcess.StartAsync(data.Location);
            await StoredTruth.AssertIdenticalAsync(data, load, promise);
            return null;
        }
        catch (Exception failure) when (failure is Xunit.Sdk.IAssertionException or InvalidOperationException or KeyNotFoundException or IOException)
        {
            return $"{failure.Message} {unreadable}";
        }
    }
}
