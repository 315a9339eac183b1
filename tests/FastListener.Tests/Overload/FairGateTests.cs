using FastListener.Overload;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace FastListener.Tests.Overload;

public sealed class FairGateTests : IDisposable
{
    private const int Slice = 64 * 1024;
    private readonly FakeTimeProvider _time = new();
    private readonly FairGate _gate;

    public FairGateTests() => _gate = new(1, Slice, _time);

    public void Dispose() => _gate.Dispose();

    [Fact]
    public void Entering_while_nobody_waits_allocates_nothing()
    {
        var (place, share) = (new GatePlace(), new GateShare());
        Assert.True(_gate.TryEnter(place, share, Slice));
        _gate.Leave(place);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            _gate.TryEnter(place, share, Slice);
            _gate.Leave(place);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(0, _gate.Inside);
    }

    [Fact]
    public async Task A_payers_waiters_enter_in_their_order()
    {
        var share = new GateShare();
        var inside = Enter(share);
        var waiters = Enumerable.Range(0, 5).Select(_ => Wait(share)).ToList();
        foreach (var (place, entered) in waiters)
        {
            Assert.False(entered.IsCompleted);
            _gate.Leave(inside);
            Assert.True(await entered);
            inside = place;
        }
    }

    [Fact]
    public async Task One_small_waiter_is_not_behind_a_hundred_large_ones_of_somebody_else()
    {
        var (noisy, quiet) = (new GateShare(), new GateShare());
        var order = new List<string>();
        var inside = Enter(noisy);
        var queue = Enumerable.Range(0, 100).Select(_ => (Wait(noisy, Slice), "noisy")).ToList();
        queue.Add((Wait(quiet, 100), "quiet"));
        while (order.Count < queue.Count)
        {
            _gate.Leave(inside);
            var ((place, entered), name) = queue.Single(item => item.Item1.Place.IsInside);
            Assert.True(await entered);
            order.Add(name);
            inside = place;
        }

        Assert.InRange(order.IndexOf("quiet"), 0, 1);
    }

    [Fact]
    public void Turns_are_shared_by_bytes_and_not_by_heads()
    {
        // One sends slices of 64 KiB over 50 connections, the other of 4 KiB over 500: both wait all the time.
        var (large, small) = (new GateShare(), new GateShare());
        var inside = Enter(large);
        var queues = new Dictionary<GateShare, Queue<GatePlace>>
        {
            [large] = new(Enumerable.Range(0, 50).Select(_ => Wait(large, Slice).Place)),
            [small] = new(Enumerable.Range(0, 500).Select(_ => Wait(small, 4096).Place)),
        };
        var bytes = new Dictionary<GateShare, long> { [large] = 0, [small] = 0 };
        for (var turn = 0; turn < 400; turn++)
        {
            _gate.Leave(inside);
            var share = queues[large].TryPeek(out var first) && first.IsInside ? large : small;
            inside = queues[share].Dequeue();
            Assert.True(inside.IsInside);
            bytes[share] += share == large ? Slice : 4096;
        }

        Assert.InRange(bytes[small], bytes[large] - (2 * Slice), bytes[large] + (2 * Slice));
    }

    [Fact]
    public void Who_is_charged_for_more_than_it_said_pays_with_its_next_turns()
    {
        // Both say 4 KiB each time; what one sends inflates to 640 KiB. It comes with one connection, so that nothing of it waits meanwhile.
        var (inflating, plain) = (new GateShare(), new GateShare());
        var waiting = new Dictionary<GateShare, GatePlace> { [inflating] = Enter(inflating), [plain] = Wait(plain, 4096).Place };
        var bytes = new Dictionary<GateShare, long> { [inflating] = 0, [plain] = 0 };
        var queue = new Queue<GatePlace>(Enumerable.Range(0, 3).Select(_ => Wait(plain, 4096).Place));
        for (var turn = 0; turn < 2000; turn++)
        {
            var share = waiting[inflating].IsInside ? inflating : plain;
            var place = waiting[share];
            Assert.True(place.IsInside);
            bytes[share] += share == inflating ? 10 * Slice : 4096;
            if (share == inflating)
            {
                _gate.Charge(share, (10 * Slice) - 4096);
                _gate.Leave(place);
                waiting[share] = Wait(share, 4096).Place;
            }
            else
            {
                waiting[share] = queue.Dequeue();
                queue.Enqueue(Wait(share, 4096).Place);
                _gate.Leave(place);
            }
        }

        Assert.InRange(bytes[inflating], bytes[plain] - (12 * Slice), bytes[plain] + (12 * Slice));
    }

    [Fact]
    public void Whose_wait_has_ended_without_a_turn_still_owes()
    {
        var (inflating, plain) = (new GateShare(), new GateShare());
        var inside = Enter(inflating);
        var queue = new Queue<GatePlace>(Enumerable.Range(0, 4).Select(_ => Wait(plain, Slice).Place));
        _gate.Charge(inflating, 3 * Slice);
        var (gone, _) = Wait(inflating, Slice);
        _gate.Expire(gone);

        var (again, _) = Wait(inflating, Slice);
        for (var turn = 0; turn < 3; turn++)
        {
            _gate.Leave(inside);
            inside = queue.Dequeue();
            Assert.True(inside.IsInside);
        }

        Assert.False(again.IsInside);
    }

    [Fact]
    public void What_was_owed_is_forgotten_when_nobody_waits_any_more()
    {
        var (inflating, plain) = (new GateShare(), new GateShare());
        var inside = Enter(inflating);
        var (next, _) = Wait(plain);
        _gate.Charge(inflating, 100 * Slice);
        _gate.Leave(inside);
        Assert.True(next.IsInside);

        var (first, _) = Wait(inflating);
        var (second, _) = Wait(plain);
        _gate.Leave(next);
        Assert.True(first.IsInside);
        Assert.False(second.IsInside);
    }

    [Fact]
    public void Who_is_charged_while_nobody_else_waits_owes_nothing()
    {
        var (alone, late) = (new GateShare(), new GateShare());
        var inside = Enter(alone);
        _gate.Charge(alone, 100 * Slice);
        _gate.Leave(inside);

        inside = Enter(late);
        var (first, _) = Wait(alone, 4096);
        var (second, _) = Wait(late, 4096);
        _gate.Leave(inside);
        Assert.True(first.IsInside);
        Assert.False(second.IsInside);
    }

    [Fact]
    public async Task Who_is_over_a_limit_of_its_own_holds_nobody_else_up()
    {
        _gate.SetLimit(10);
        var (limited, other) = (new GateShare(), new GateShare());
        _gate.SetLimits(limited, limit: 1, perSecond: 0, burst: 0);
        var first = Enter(limited);
        var (second, entered) = Wait(limited);
        Assert.True(_gate.TryEnter(new GatePlace(), other, 1));
        Assert.False(entered.IsCompleted);

        _gate.Leave(first);
        Assert.True(await entered);
        _gate.Leave(second);
    }

    [Fact]
    public async Task Who_is_over_its_rate_waits_until_time_has_made_it_good()
    {
        _gate.SetLimit(10);
        var share = new GateShare();
        _gate.SetLimits(share, limit: 0, perSecond: 1000, burst: 2000);
        Assert.True(_gate.TryEnter(new GatePlace(), share, 5000)); // a slice is never cut: it goes into debt
        var (_, entered) = Wait(share, 100);
        Advance(2900);
        Assert.False(entered.IsCompleted);
        Advance(300);
        Assert.True(await entered);
    }

    [Fact]
    public void Who_is_due_soon_is_not_put_off_by_others_that_go_over_their_rates()
    {
        _gate.SetLimit(100);
        var soon = new GateShare();
        _gate.SetLimits(soon, limit: 0, perSecond: 1000, burst: 1);
        Assert.True(_gate.TryEnter(new GatePlace(), soon, 66)); // due again in 66 ms
        var (place, _) = Wait(soon);
        for (var storm = 0; storm < 3; storm++)
        {
            var other = new GateShare();
            _gate.SetLimits(other, limit: 0, perSecond: 1, burst: 1);
            Assert.True(_gate.TryEnter(new GatePlace(), other, 1000));
            Wait(other);
            Advance(50);
        }

        Assert.True(place.IsInside);
    }

    [Fact]
    public async Task A_rate_holds_over_many_turns()
    {
        _gate.SetLimit(10);
        var share = new GateShare();
        _gate.SetLimits(share, limit: 0, perSecond: 10_000, burst: 1);
        var started = _time.GetTimestamp();
        for (var i = 0; i < 20; i++)
        {
            var place = new GatePlace();
            if (!_gate.TryEnter(place, share, 1000))
            {
                var entered = place.WaitAsync().AsTask();
                while (!place.IsInside)
                {
                    Advance(10);
                }

                Assert.True(await entered);
            }

            _gate.Leave(place);
        }

        Assert.InRange(_time.GetElapsedTime(started).TotalSeconds, 1.8, 2.4);
    }

    [Fact]
    public async Task A_rate_that_is_lifted_lets_everybody_in()
    {
        _gate.SetLimit(100);
        var share = new GateShare();
        _gate.SetLimits(share, limit: 0, perSecond: 1, burst: 1);
        Enter(share);
        var waiting = Enumerable.Range(0, 20).Select(_ => Wait(share, Slice).Entered).ToList();
        _gate.SetLimits(share, limit: 0, perSecond: 0, burst: 1);
        Assert.All(await Task.WhenAll(waiting), Assert.True);
        Assert.Equal(0, _gate.Waiting);
    }

    [Fact]
    public async Task A_gate_that_is_shut_lets_nobody_in_until_it_is_open()
    {
        _gate.SetLimit(0);
        var share = new GateShare();
        var waiting = Enumerable.Range(0, 5).Select(_ => Wait(share)).ToList();
        Assert.Equal((0, 5), (_gate.Inside, _gate.Waiting));

        _gate.SetLimit(3);
        Assert.Equal((3, 2), (_gate.Inside, _gate.Waiting));
        _gate.SetLimit(FairGate.Open);
        Assert.All(await Task.WhenAll(waiting.Select(item => item.Entered)), Assert.True);
    }

    [Fact]
    public async Task A_wait_that_expires_is_outside_and_says_whose_fault_it_was()
    {
        var (share, limited) = (new GateShare(), new GateShare());
        var inside = Enter(share);
        var (crowded, first) = Wait(share);
        _gate.Expire(crowded);
        Assert.False(await first);
        Assert.False(crowded.IsOverItsOwn);

        _gate.Leave(inside);
        _gate.SetLimit(5);
        _gate.SetLimits(limited, limit: 1, perSecond: 0, burst: 0);
        Enter(limited);
        var (own, second) = Wait(limited);
        _gate.Expire(own);
        Assert.False(await second);
        Assert.True(own.IsOverItsOwn);
        _gate.Expire(own); // a heartbeat that comes late
        Assert.Equal((1, 0), (_gate.Inside, _gate.Waiting));
    }

    [Fact]
    public async Task One_that_has_waited_before_waits_in_front()
    {
        var share = new GateShare();
        var inside = Enter(share);
        var (behind, last) = Wait(share);
        var front = new GatePlace();
        Assert.False(_gate.TryEnter(front, share, 1, first: true));
        _gate.Leave(inside);
        Assert.True(await front.WaitAsync());
        Assert.False(last.IsCompleted);
        _gate.Leave(front);
        Assert.True(await last);
        Assert.True(behind.IsInside);
    }

    [Fact]
    public async Task However_many_threads_enter_and_leave_never_more_are_inside_than_may_and_all_get_through()
    {
        using var gate = new FairGate(3, Slice, TimeProvider.System);
        var shares = Enumerable.Range(0, 4).Select(_ => new GateShare()).ToArray();
        gate.SetLimits(shares[3], limit: 1, perSecond: 0, burst: 0);
        var (inside, most, expired) = (0, 0, 0);
        var cancel = TestContext.Current.CancellationToken;
        await Task.WhenAll(Enumerable.Range(0, 24).Select(worker => Task.Run(
            async () =>
            {
                var place = new GatePlace();
                var random = new Random(worker);
                for (var round = 0; round < 2000; round++)
                {
                    if (!gate.TryEnter(place, shares[worker % 4], random.Next(1, Slice)))
                    {
                        var waiting = place.WaitAsync();
                        if (random.Next(50) == 0)
                        {
                            gate.Expire(place);
                        }

                        if (!await waiting)
                        {
                            Interlocked.Increment(ref expired);
                            continue;
                        }
                    }

                    var now = Interlocked.Increment(ref inside);
                    InterlockedMax(ref most, now);
                    if (round % 7 == 0)
                    {
                        await Task.Yield();
                    }

                    Interlocked.Decrement(ref inside);
                    gate.Leave(place);
                }
            },
            cancel)));

        Assert.InRange(most, 1, 3);
        Assert.Equal((0, 0), (gate.Inside, gate.Waiting));
        Assert.True(gate.TryEnter(new GatePlace(), shares[0], 1), "The gate has lost a place.");
    }

    private static void InterlockedMax(ref int target, int value)
    {
        var seen = Volatile.Read(ref target);
        while (seen < value)
        {
            seen = Interlocked.CompareExchange(ref target, value, seen) is var before && before == seen ? value : before;
        }
    }

    private GatePlace Enter(GateShare share)
    {
        var place = new GatePlace();
        Assert.True(_gate.TryEnter(place, share, 1));
        return place;
    }

    private (GatePlace Place, Task<bool> Entered) Wait(GateShare share, int cost = 1)
    {
        var place = new GatePlace();
        Assert.False(_gate.TryEnter(place, share, cost));
        return (place, place.WaitAsync().AsTask());
    }

    private void Advance(int milliseconds)
    {
        for (var i = 0; i < milliseconds; i += 10)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10)); // in steps, as the gate's own timer is armed anew each time
        }
    }
}
