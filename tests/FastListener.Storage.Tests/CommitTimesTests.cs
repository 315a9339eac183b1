using FastListener.Storage.Commit;

namespace FastListener.Storage.Tests;

public class CommitTimesTests
{
    [Fact]
    public void A_commit_counts_in_the_first_class_that_it_fits_into_and_in_the_last_when_in_none()
    {
        var times = new CommitTimes();
        times.Add(TimeSpan.Zero);
        times.Add(CommitDurations.Bounds[1]);
        times.Add(CommitDurations.Bounds[1] + TimeSpan.FromTicks(1));
        times.Add(TimeSpan.FromHours(1));

        var seen = times.Snapshot();
        Assert.Equal(1, seen.Counts[0]);
        Assert.Equal(1, seen.Counts[1]);
        Assert.Equal(1, seen.Counts[2]);
        Assert.Equal(1, seen.Counts[CommitDurations.Bounds.Count]);
        Assert.Equal(4, seen.Count);
        Assert.Equal(TimeSpan.FromHours(1) + (CommitDurations.Bounds[1] * 2) + TimeSpan.FromTicks(1), seen.Sum);
        Assert.Equal(CommitDurations.Bounds.Order(), CommitDurations.Bounds);
    }

    [Fact]
    public async Task Commits_of_a_store_are_timed_and_a_test_write_leaves_nothing()
    {
        using var data = new DataDirectory();
        await using var store = await data.OpenAsync();
        Assert.Equal(0, store.CommitDurations.Count);
        await store.SubmitAsync(StoreActions.Bytes(1000));
        Assert.Equal(1, store.CommitDurations.Count);
        Assert.True(store.TestWrite());
        Assert.Empty(Directory.GetFiles(Path.Combine(data.Path, "staging"), "test-*", SearchOption.AllDirectories));
    }
}
