namespace FastListener.Load.Scenarios;

/// <summary>
/// When requests of an open loop fall due. A Poisson process of rate one, from a fixed seed, is bent through the stages' rate, so a run
/// repeats itself exactly.
/// </summary>
internal sealed class ArrivalClock
{
    private readonly IReadOnlyList<RateStage> _stages;
    private ulong _state;
    private double _mass;
    private double _stageMass;
    private double _stageStart;
    private int _stage;

    public ArrivalClock(IReadOnlyList<RateStage> stages, ulong seed)
    {
        _stages = stages;
        _state = seed;
    }

    /// <summary>Seconds from the start to the next arrival, or false when the stages are over.</summary>
    public bool TryNext(out double seconds)
    {
        _mass += -Math.Log(1 - NextUnit());
        while (_stage < _stages.Count)
        {
            var stage = _stages[_stage];
            var within = _mass - _stageMass;
            if (within < stage.Requests)
            {
                seconds = _stageStart + TimeOf(stage, within);
                return true;
            }

            _stageMass += stage.Requests;
            _stageStart += stage.Duration.TotalSeconds;
            _stage++;
        }

        seconds = 0;
        return false;
    }

    /// <summary>Solves From t + (To - From) t^2 / (2 T) = requests for t.</summary>
    private static double TimeOf(RateStage stage, double requests)
    {
        var duration = stage.Duration.TotalSeconds;
        var slope = (stage.To - stage.From) / duration;
        if (Math.Abs(slope) < 1e-9)
        {
            return requests / stage.From;
        }

        return Math.Clamp((-stage.From + Math.Sqrt(Math.Max(0, (stage.From * stage.From) + (2 * slope * requests)))) / slope, 0, duration);
    }

    private double NextUnit()
    {
        _state += 0x9E3779B97F4A7C15;
        var mixed = _state;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        mixed ^= mixed >> 31;
        return (mixed >> 11) * (1.0 / (1UL << 53));
    }
}
