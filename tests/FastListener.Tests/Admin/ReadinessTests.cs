using FastListener.Admin;
using FastListener.Overload;
using FastListener.Storage;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace FastListener.Tests.Admin;

public sealed class ReadinessTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly Pressure _pressure;
    private readonly Readiness _readiness;
    private PressureLevel _memory;
    private PressureLevel _disk;
    private StoreStatistics _store;
    private bool _takesBytes = true;

    public ReadinessTests()
    {
        _pressure = new([new("memory", () => _memory), new("disk", () => _disk)], TimeSpan.FromSeconds(5), _time);
        _readiness = new(_pressure, () => _store, () => _takesBytes);
        _readiness.Started();
    }

    public void Dispose() => _pressure.Dispose();

    [Fact]
    public void A_moment_of_short_memory_counts_as_a_moment_although_the_disk_has_been_nearly_full_for_days()
    {
        _disk = PressureLevel.Slow;
        Pass(TimeSpan.FromDays(2));
        Assert.True(_readiness.Look().Ready);

        _memory = PressureLevel.Slow;
        Pass(TimeSpan.FromSeconds(1));
        var state = _readiness.Look();
        Assert.True(state.Ready);
        Assert.Equal([("memory", "reading is slowed"), ("disk", "reading is slowed")], state.Short);

        Pass(TimeSpan.FromSeconds(5));
        Assert.False(_readiness.Look().Ready);

        _memory = PressureLevel.None;
        Pass(TimeSpan.FromSeconds(1));
        _memory = PressureLevel.Slow;
        Pass(TimeSpan.FromSeconds(1));
        Assert.True(_readiness.Look().Ready); // it was over in between
    }

    [Fact]
    public void Nothing_is_waited_for_while_nothing_is_read_or_the_disk_is_full()
    {
        _memory = PressureLevel.Hold;
        Pass(Pressure.Interval);
        Assert.False(_readiness.Look().Ready);
        (_memory, _disk) = (PressureLevel.None, PressureLevel.Slow);
        Pass(Pressure.Interval);
        Assert.True(_readiness.Look().Ready);
        _store = new() { Disk = new(100, 0, 0, IsFull: true) };
        Assert.Equal([("disk", "full")], _readiness.Look().Short);
        Assert.False(_readiness.Look().Ready);
    }

    [Fact]
    public void A_failed_commit_counts_until_the_disk_takes_bytes_again_and_a_defect_for_good()
    {
        _store = new() { CurrentFault = StorageFaultKind.InputOutput };
        _takesBytes = false;
        Assert.False(_readiness.Look().Ready);
        _takesBytes = true;
        Assert.True(_readiness.Look().Ready);

        _store = _store with { HasFailed = true };
        var state = _readiness.Look();
        Assert.False(state.Ready);
        Assert.Equal([("commit", "ended by a defect")], state.Short);
    }

    private void Pass(TimeSpan time)
    {
        _time.Advance(time - Pressure.Interval);
        _time.Advance(Pressure.Interval);
    }
}
