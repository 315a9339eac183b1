using FastListener.Configuration;
using FastListener.Overload;
using FastListener.Storage;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace FastListener.Tests.Overload;

public class PressureTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void The_worst_source_counts_and_every_change_is_told_once()
    {
        var (disk, memory) = (PressureLevel.None, PressureLevel.None);
        using var pressure = new Pressure([new("memory", () => memory), new("disk", () => disk)], TimeSpan.FromSeconds(5), _time);
        var told = new List<string>();
        pressure.Changed += state => told.Add($"{state.Word}:{state.Level}");

        memory = PressureLevel.Slow;
        Pass(1);
        disk = PressureLevel.Hold;
        Pass(1);
        Assert.Equal([("memory", PressureLevel.Slow, false), ("disk", PressureLevel.Hold, false)], pressure.Levels);
        disk = PressureLevel.None;
        Pass(1);
        memory = PressureLevel.None;
        Pass(1);

        Assert.Equal(["memory:Slow", "disk:Hold", "memory:Slow", ":None"], told);
    }

    [Fact]
    public void What_does_not_last_is_not_lasting_and_what_changes_its_source_still_is()
    {
        var (disk, memory) = (PressureLevel.None, PressureLevel.Slow);
        using var pressure = new Pressure([new("memory", () => memory), new("disk", () => disk)], TimeSpan.FromSeconds(5), _time);
        Pass(4);
        Assert.Equal(PressureLevel.None, pressure.Lasting);
        (memory, disk) = (PressureLevel.None, PressureLevel.Slow);
        Pass(2);
        Assert.Equal(PressureLevel.Slow, pressure.Lasting);
        disk = PressureLevel.Hold;
        Pass(4);
        Assert.Equal(PressureLevel.Slow, pressure.Lasting);
        Pass(2);
        Assert.Equal(PressureLevel.Hold, pressure.Lasting);
        disk = PressureLevel.None;
        Pass(1);
        Assert.Equal(PressureLevel.None, pressure.Lasting);
    }

    [Fact]
    public void The_disk_counts_as_short_until_a_quarter_more_than_the_threshold_is_free_and_while_it_is_full()
    {
        const long Gibibyte = 1024 * 1024 * 1024;
        var space = default(DiskSpace);
        var source = PressureSources.Disk(() => space, new OverloadOptions { DiskFreePercent = 2 });
        PressureLevel After(long total, long free, bool isFull = false)
        {
            space = new(total * Gibibyte, free * Gibibyte, 0, isFull);
            return source.Level();
        }

        Assert.Equal(PressureLevel.None, source.Level()); // not known yet
        Assert.Equal(
            [PressureLevel.None, PressureLevel.Slow, PressureLevel.Slow, PressureLevel.None, PressureLevel.None, PressureLevel.Slow],
            [After(200, 4), After(200, 3), After(200, 4), After(200, 5), After(2000, 8), After(2000, 7)]);
        Assert.Equal([PressureLevel.None, PressureLevel.Slow], [After(100, 50), After(100, 50, isFull: true)]);
    }

    [Fact]
    public void Files_that_can_still_be_made_count_as_bytes_do_where_the_file_system_counts_them()
    {
        var space = default(DiskSpace);
        var source = PressureSources.Disk(() => space, new OverloadOptions { DiskFreePercent = 2 });
        PressureLevel After(long files, long free)
        {
            space = new(1000, 1000, 0, false, files, free);
            return source.Level();
        }

        Assert.Equal(
            [PressureLevel.None, PressureLevel.Slow, PressureLevel.Slow, PressureLevel.None, PressureLevel.Slow, PressureLevel.None],
            [After(1000, 20), After(1000, 19), After(1000, 24), After(1000, 25), After(1000, 0), After(0, 0)]);
        Assert.Equal([PressureLevel.None, PressureLevel.Slow], [After(100_000_000, 20_000), After(100_000_000, 19_999)]);
    }

    [Fact]
    public void Memory_counts_as_short_until_a_quarter_of_what_it_took_is_free_again()
    {
        var used = 0L;
        var source = PressureSources.Memory(() => new StoreStatistics { PayloadMemory = used }, 1000, new OverloadOptions());
        Assert.Equal(
            [PressureLevel.None, PressureLevel.Slow, PressureLevel.Slow, PressureLevel.None, PressureLevel.None],
            new[] { 899L, 900, 700, 600, 800 }.Select(bytes =>
            {
                used = bytes;
                return source.Level();
            }));
    }

    [Fact]
    public void A_committer_is_behind_when_its_queue_is_half_full_or_nothing_is_committed_for_long()
    {
        var figures = new StoreStatistics { Queued = 1 };
        var source = PressureSources.Committer(() => figures, 1000, new OverloadOptions(), _time);
        Assert.Equal(PressureLevel.None, source.Level());
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(PressureLevel.Slow, source.Level());
        _time.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal(PressureLevel.Hold, source.Level());

        figures = new StoreStatistics { Queued = 600, Batches = 1 };
        Assert.Equal(PressureLevel.Slow, source.Level());
        figures = new StoreStatistics { Queued = 0, Batches = 1 };
        _time.Advance(TimeSpan.FromHours(1)); // nothing waits, so nothing is late
        Assert.Equal(PressureLevel.None, source.Level());
    }

    private void Pass(int seconds)
    {
        for (var i = 0; i < seconds * 10; i++)
        {
            _time.Advance(Pressure.Interval);
        }
    }
}
