using FastListener.Load.Scenarios;
using Xunit;

namespace FastListener.Tests.Load;

public class ArrivalClockTests
{
    private static readonly RateStage[] s_ramp =
    [
        new(100, 100, TimeSpan.FromSeconds(10)),
        new(100, 1000, TimeSpan.FromSeconds(10)),
        new(1000, 0, TimeSpan.FromSeconds(10)),
    ];

    [Fact]
    public void Arrivals_are_in_order_and_within_the_stages()
    {
        var times = Times(1);

        Assert.Equal(times.Order(), times);
        Assert.InRange(times[0], 0, 30);
        Assert.InRange(times[^1], 0, 30);
    }

    [Fact]
    public void Each_stage_gets_its_share()
    {
        var times = Times(1);

        // A Poisson count lies within five standard deviations of its mean; the seed is fixed, so this never flickers.
        Assert.InRange(times.Count(t => t < 10), 1000 - 158, 1000 + 158);
        Assert.InRange(times.Count(t => t is >= 10 and < 20), 5500 - 371, 5500 + 371);
        Assert.InRange(times.Count(t => t >= 20), 5000 - 354, 5000 + 354);
    }

    [Fact]
    public void A_ramp_grows_denser() =>
        Assert.True(Times(1).Count(t => t is >= 10 and < 15) < Times(1).Count(t => t is >= 15 and < 20));

    [Fact]
    public void The_same_seed_repeats_the_run_and_another_does_not()
    {
        Assert.Equal(Times(7), Times(7));
        Assert.NotEqual(Times(7), Times(8));
    }

    private static List<double> Times(ulong seed)
    {
        var clock = new ArrivalClock(s_ramp, seed);
        var times = new List<double>();
        while (clock.TryNext(out var seconds))
        {
            times.Add(seconds);
        }

        return times;
    }
}
