using System.Globalization;

namespace FastListener.Load.Compare;

/// <summary>All that the report of a comparison tells of.</summary>
/// <param name="Measurements">What was asked for, measured or not.</param>
/// <param name="Rounds">Counted rounds that were asked for.</param>
internal sealed record ComparedRun(IReadOnlyList<Step> Steps, IReadOnlyList<Measurement> Measurements, int Rounds, Provenance From)
{
    /// <summary>The peers that the caller named; null is everybody.</summary>
    public string[]? OnlyPeers { get; init; }

    /// <summary>Why not everything was measured; null when it was.</summary>
    public string? Ended { get; init; }

    /// <summary>Those of which there is something to tell.</summary>
    public IEnumerable<Measurement> Measured => Measurements.Where(m => Steps.Any(s => s.Measurement == m.Key));

    /// <summary>True when no step failed and every judged goal that was measured reached its floor.</summary>
    public bool Holds => Steps.All(s => s.Problem is null)
        && Goal.All.All(goal => goal.Floor is not { } floor || goal.Value(Steps) is not { } value || goal.Reaches(floor, value.Median));

    /// <summary>What is missing, in words; empty when nothing is.</summary>
    public string Missing
    {
        get
        {
            var none = Measurements.Where(m => Counted(m) == 0).Select(m => m.Key).ToArray();
            var some = Measurements.Where(m => Counted(m) is var counted && counted > 0 && counted < m.Rounds(Rounds))
                .Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.Key} ({Counted(m)} of {m.Rounds(Rounds)} rounds)")).ToArray();
            return (none.Length == 0 ? "" : $" Not measured: {string.Join(", ", none)}.") + (some.Length == 0 ? "" : $" Not finished: {string.Join(", ", some)}.");
        }
    }

    /// <summary>Counted rounds in which everybody had his turn.</summary>
    private int Counted(Measurement measurement) =>
        measurement.Chosen(OnlyPeers).Min(peer => Steps.Count(s => s.Measurement == measurement.Key && s.Peer == peer && s.Round > 0));
}
