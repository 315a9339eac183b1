using Microsoft.Extensions.Logging;

namespace FastListener.Storage.Tests;

public sealed class DiskReserveTests : IDisposable
{
    private const long Mebibyte = 1024 * 1024;

    private readonly DataDirectory _data = new();
    private readonly TestDevice _device = new() { Seen = (1000 * Mebibyte, 500 * Mebibyte) };
    private readonly StoreOptions _options;

    public DiskReserveTests() => _options = _data.Options with { ReserveBytes = 256 * Mebibyte };

    private FileInfo Reserve => new(_data.Path + "/reserve");

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData(1000, 256, 10)]
    [InlineData(100_000, 64, 64)]
    [InlineData(50, 256, 4)]
    [InlineData(1000, 0, 0)]
    public async Task It_is_a_hundredth_of_the_file_system_within_bounds(long total, long most, long expected)
    {
        _device.Seen = (total * Mebibyte, total * Mebibyte);
        await using var store = await _data.OpenAsync(_options with { ReserveBytes = most * Mebibyte }, _device, time: new TimerlessTime());
        Assert.Equal(expected * Mebibyte, store.Statistics.Disk.Reserve);
        Assert.Equal(expected > 0, Reserve.Exists);
    }

    [Fact]
    public async Task A_smaller_setting_gives_space_back()
    {
        await (await _data.OpenAsync(_options, _device, time: new TimerlessTime())).DisposeAsync();
        Assert.Equal(10 * Mebibyte, Reserve.Length);
        await (await _data.OpenAsync(_options with { ReserveBytes = 5 * Mebibyte }, _device, time: new TimerlessTime())).DisposeAsync();
        Assert.Equal(5 * Mebibyte, Reserve.Length);
        await (await _data.OpenAsync(_options with { ReserveBytes = 0 }, _device, time: new TimerlessTime())).DisposeAsync();
        Assert.False(Reserve.Exists);
    }

    [Fact]
    public async Task Given_up_it_comes_back_only_when_as_much_again_stays_free_and_until_then_nothing_is_stored()
    {
        await using var store = await _data.OpenAsync(_options, _device, time: new TimerlessTime());
        await store.SubmitAsync(StoreActions.Bytes(3000));
        _device.Before = (call, path) =>
        {
            if (call == "write" && path.EndsWith(".pack", StringComparison.Ordinal))
            {
                throw new StorageFaultException(StorageFaultKind.DiskFull, "No space.");
            }
        };
        _device.Seen = (1000 * Mebibyte, 17 * Mebibyte);
        await Assert.ThrowsAsync<StorageFaultException>(() => store.SubmitAsync(StoreActions.Bytes(3001)));
        _device.Before = (_, _) => { };
        Assert.Equal((true, 10 * Mebibyte / 4), (store.Statistics.Disk.IsFull, Reserve.Length));
        await Assert.ThrowsAsync<StorageFaultException>(() => store.SubmitAsync(StoreActions.Bytes(3002)));
        store.Reserve.Keep();
        Assert.Equal(10 * Mebibyte / 4, Reserve.Length);

        _device.Seen = (1000 * Mebibyte, 18 * Mebibyte); // 7.5 to take back, 10 to stay
        await store.SubmitAsync(StoreActions.Bytes(3003));
        store.Reserve.Keep();
        Assert.Equal((false, 10 * Mebibyte), (store.Statistics.Disk.IsFull, Reserve.Length));
    }

    [Fact]
    public async Task What_one_process_gives_up_another_does_not_fill()
    {
        await using var one = await _data.OpenAsync(_options, _device, time: new TimerlessTime());
        await using var other = await _data.OpenAsync(_options, _device, time: new TimerlessTime());
        _device.Seen = (1000 * Mebibyte, 17 * Mebibyte);
        one.Reserve.GiveUp();
        other.Reserve.Keep();
        Assert.Equal(10 * Mebibyte / 4, Reserve.Length);
        var refused = await Assert.ThrowsAsync<StorageFaultException>(() => other.SubmitAsync(StoreActions.Bytes(3000)));
        Assert.Equal(StorageFaultKind.DiskFull, refused.Kind);

        _device.Seen = (1000 * Mebibyte, 18 * Mebibyte);
        other.Reserve.Keep();
        await other.SubmitAsync(StoreActions.Bytes(3001));
        await one.SubmitAsync(StoreActions.Bytes(3002));
        Assert.Equal(10 * Mebibyte, Reserve.Length);
    }

    [Fact]
    public async Task A_reserve_that_cannot_be_had_keeps_nobody_from_storing()
    {
        _device.Before = (call, path) =>
        {
            if (path.EndsWith("reserve", StringComparison.Ordinal))
            {
                throw new StorageFaultException(StorageFaultKind.InputOutput, $"No {call}.");
            }
        };
        await using var store = await _data.OpenAsync(_options, _device, time: new TimerlessTime());
        await store.SubmitAsync(StoreActions.Bytes(3000));
        store.Reserve.GiveUp();
        await store.SubmitAsync(StoreActions.Bytes(3001));
        _device.Before = (_, _) => { };
        store.Reserve.Keep();
        Assert.Equal(10 * Mebibyte, Reserve.Length);
    }

    [Fact]
    public async Task A_look_that_fails_in_a_way_that_nobody_has_thought_of_is_said_once_and_ends_nothing()
    {
        var log = new EventLogger();
        await using var store = await _data.OpenAsync(_options, _device, log, new TimerlessTime());
        Reserve.Delete();
        _device.Before = (_, path) =>
        {
            if (path.EndsWith("reserve", StringComparison.Ordinal))
            {
                throw new InvalidOperationException("A defect.");
            }
        };
        store.Reserve.Keep(); // what the timer calls: above it there is nobody
        store.Reserve.Keep();
        Assert.Single(log.Events, id => id == 521);

        _device.Before = (_, _) => { };
        store.Reserve.Keep();
        Assert.Equal(10 * Mebibyte, Reserve.Length);
    }

    [Fact]
    public async Task The_log_warns_once_below_the_first_threshold_and_says_when_it_is_over()
    {
        var log = new EventLogger();
        await using var store = await _data.OpenAsync(_options, _device, log, new TimerlessTime());
        foreach (var free in (long[])[51, 49, 30, 55, 63, 40])
        {
            _device.Seen = (1000 * Mebibyte, free * Mebibyte);
            store.Reserve.Keep();
        }

        Assert.Equal([517, 518, 517], log.Events.Where(id => id is 517 or 518));
    }
}

/// <summary>Remembers the ids of what was logged.</summary>
public sealed class EventLogger : ILogger
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<int> _events = new();

    public IReadOnlyCollection<int> Events => _events;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _events.Enqueue(eventId.Id);
}

/// <summary>The clock without its timers: what a timer does, the test does.</summary>
public sealed class TimerlessTime : TimeProvider
{
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Nothing();

    private sealed class Nothing : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => default;
    }
}
