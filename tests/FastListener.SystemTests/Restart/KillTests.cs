using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Restart;

/// <summary>kill -9 under load, again and again on the same data, each round in another shape of load.</summary>
public sealed class KillTests
{
    private const int CompareEvery = 10;

    /// <summary>On the same data: with large files among it, more would be more reading than killing.</summary>
    private const int MostRounds = 50;

    [Fact]
    public Task Whatever_was_acknowledged_outlives_kill_9() => KillAsync(Rounds.Kills, []);

    [Fact]
    public Task Whatever_was_acknowledged_outlives_kill_9_with_every_switch_the_other_way() => KillAsync(Math.Max(5, Rounds.Kills / 4), new()
    {
        ["FASTLISTENER_Listen__Transport"] = "kestrel",
        ["FASTLISTENER_Storage__DirectPacks"] = "false",
        ["FASTLISTENER_Storage__DirectFiles"] = "true",
    });

    [Fact]
    public async Task Whatever_was_acknowledged_outlives_kill_9_of_one_of_two_and_is_put_in_order_beside_the_other()
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"FASTLISTENER_SEED={Rounds.Seed}");
        var random = new Random(Rounds.Seed);
        using var data = new DataDirectory();
        var load = new UploadLoad(await data.AddTokenAsync("game", "error:post"));
        var listener = await ListenerProcess.StartAsync(data.Location);
        for (var round = 1; round <= Math.Max(LoadShape.All.Count, Rounds.Kills / 4); round++)
        {
            var shape = LoadShape.Of(round);
            load.Start(listener.HttpPort, shape);
            await load.AnswersAsync(shape.Answers(random.Next(5, 80)));
            var heir = await ListenerProcess.StartAsync(data.Location); // puts the one killed before in order, while this one writes
            await load.AnswersAsync(shape.Answers(random.Next(5, 80)));
            await listener.KillAsync();
            await listener.DisposeAsync();
            await load.StopAsync();
            await CheckAsync(data, load, whole: false);
            listener = heir;
        }

        Assert.Empty(load.Refusals);
        Assert.Equal(0, await listener.StopAsync());
        await listener.DisposeAsync();
        await using var last = await ListenerProcess.StartAsync(data.Location);
        Assert.Empty(data.StagedFiles());
        await CheckAsync(data, load, whole: true);
        TestContext.Current.TestOutputHelper?.WriteLine($"Answers: {load}");
    }

    private static async Task KillAsync(int rounds, Dictionary<string, string> settings)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"FASTLISTENER_SEED={Rounds.Seed}");
        var random = new Random(Rounds.Seed);
        for (; rounds > 0; rounds -= MostRounds)
        {
            await KillOnSameDataAsync(Math.Min(rounds, MostRounds), random, settings);
        }
    }

    private static async Task KillOnSameDataAsync(int rounds, Random random, Dictionary<string, string> settings)
    {
        using var data = new DataDirectory();
        var load = new UploadLoad(await data.AddTokenAsync("game", "error:post"));
        for (var round = 1; round <= rounds; round++)
        {
            await using var listener = await ListenerProcess.StartProgramAsync(Repository.Program, data.Location, settings);
            await CheckAsync(data, load, whole: round % CompareEvery == 0);
            Assert.Empty(data.StagedFiles());

            var shape = LoadShape.Of(round);
            load.Start(listener.HttpPort, shape);
            await load.AnswersAsync(shape.Answers(random.Next(5, 80)));
            await listener.KillAsync();
            await load.StopAsync();
        }

        await using var last = await ListenerProcess.StartProgramAsync(Repository.Program, data.Location, settings);
        await CheckAsync(data, load, whole: true);
        Assert.Empty(load.Refusals);
        Assert.Equal(0, await last.StopAsync());
        await CheckAsync(data, load, whole: false);
        TestContext.Current.TestOutputHelper?.WriteLine($"Answers: {load}");
    }

    private static async Task CheckAsync(DataDirectory data, UploadLoad load, bool whole)
    {
        if (whole)
        {
            await StoredTruth.AssertIdenticalAsync(data, load, load.Acknowledged());
        }
        else
        {
            await StoredTruth.AssertCompleteAsync(data, load, load.Acknowledged());
        }
    }
}
