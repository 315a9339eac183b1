namespace FastListener.Overload;

/// <summary>How much of a load the listener can still bear.</summary>
internal enum PressureLevel : byte
{
    /// <summary>All is well.</summary>
    None,

    /// <summary>Something runs short: fewer uploads are read at once.</summary>
    Slow,

    /// <summary>Reading on would make it worse: no upload is read until it is better, or until waiting is no longer honest.</summary>
    Hold,
}

/// <summary>One thing that can run short.</summary>
/// <param name="Word">What, in one word: for logs, metrics and the reason of a degraded submission.</param>
/// <param name="Level">How short it is now. Called about ten times a second, from one thread at a time; must neither block nor throw.</param>
internal sealed record PressureSource(string Word, Func<PressureLevel> Level);

/// <summary>What is short now, and since when. Immutable; replaced when it changes.</summary>
/// <param name="Level">The highest level of all sources.</param>
/// <param name="Word">The source that has it; empty when all is well.</param>
/// <param name="Since">When this level was reached.</param>
internal sealed record PressureState(PressureLevel Level, string Word, DateTimeOffset Since);

/// <summary>Looks at all sources of pressure at intervals and says what is short, how short, and whether it lasts.</summary>
internal sealed class Pressure : IDisposable
{
    /// <summary>Between two looks: short against everything that is decided by it, and nothing against a core.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly PressureSource[] _sources;
    private readonly int[] _levels;
    private readonly long[] _shortSince;
    private readonly bool[] _lasts;
    private readonly TimeSpan _lasting;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _sampling = new();
    private PressureState _state;
    private long _risen;
    private long _held;
    private int _lastingLevel;

    /// <param name="sources">What to look at.</param>
    /// <param name="lasting">For how long a level must hold before it counts as lasting.</param>
    /// <param name="time">The clock.</param>
    public Pressure(IEnumerable<PressureSource> sources, TimeSpan lasting, TimeProvider time)
    {
        _sources = [.. sources];
        _levels = new int[_sources.Length];
        _shortSince = new long[_sources.Length];
        _lasts = new bool[_sources.Length];
        _lasting = lasting;
        _time = time;
        _state = new(PressureLevel.None, "", time.GetUtcNow());
        _timer = time.CreateTimer(static pressure => ((Pressure)pressure!).Sample(), this, Interval, Interval);
    }

    /// <summary>Raised when the level or its source has changed, from one thread at a time. Handlers must not throw.</summary>
    public event Action<PressureState>? Changed;

    /// <summary>What is short now.</summary>
    public PressureState Current => Volatile.Read(ref _state);

    /// <summary>The level that has lasted, whichever sources had it; what does not last is borne by waiting.</summary>
    public PressureLevel Lasting => (PressureLevel)Volatile.Read(ref _lastingLevel);

    /// <summary>How short each source was at the last look, and whether that source has been short for long.</summary>
    public IEnumerable<(string Word, PressureLevel Level, bool Lasts)> Levels =>
        _sources.Select((source, index) => (source.Word, (PressureLevel)Volatile.Read(ref _levels[index]), Volatile.Read(ref _lasts[index])));

    /// <summary>Looks at the sources now.</summary>
    public void Sample()
    {
        lock (_sampling)
        {
            var now = _time.GetTimestamp();
            var level = PressureLevel.None;
            var word = "";
            for (var i = 0; i < _sources.Length; i++)
            {
                var source = _sources[i];
                var found = source.Level();
                _shortSince[i] = _levels[i] is (int)PressureLevel.None ? now : _shortSince[i];
                Volatile.Write(ref _levels[i], (int)found);
                Volatile.Write(ref _lasts[i], found is not PressureLevel.None && _time.GetElapsedTime(_shortSince[i], now) >= _lasting);
                if (found > level)
                {
                    (level, word) = (found, source.Word);
                }
            }

            if (level != _state.Level || word != _state.Word)
            {
                _risen = _state.Level is PressureLevel.None ? now : _risen;
                _held = level is PressureLevel.Hold && _state.Level is not PressureLevel.Hold ? now : _held;
                var state = new PressureState(level, word, _time.GetUtcNow());
                Volatile.Write(ref _state, state);
                Changed?.Invoke(state);
            }

            var lasting = level is PressureLevel.Hold && _time.GetElapsedTime(_held, now) >= _lasting ? PressureLevel.Hold
                : level is not PressureLevel.None && _time.GetElapsedTime(_risen, now) >= _lasting ? PressureLevel.Slow
                : PressureLevel.None;
            Volatile.Write(ref _lastingLevel, (int)lasting);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();
}
