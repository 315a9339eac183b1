using System.Globalization;
using System.Text;

namespace FastListener.Admin;

/// <summary>Writes Prometheus' text format, version 0.0.4: each metric's help and type once, before its values.</summary>
internal sealed class MetricsText
{
    private readonly StringBuilder _text = new();

    /// <summary>A metric with one value.</summary>
    public void Add(string name, string help, double value)
    {
        Begin(name, help);
        Value(name, value);
    }

    /// <summary>A metric with a value for each value of its labels.</summary>
    public void Add(string name, string help, IEnumerable<(string Labels, double Value)> values)
    {
        Begin(name, help);
        foreach (var (labels, value) in values)
        {
            Value($"{name}{{{labels}}}", value);
        }
    }

    /// <summary>A histogram.</summary>
    /// <param name="name">Its name, without the endings of its parts.</param>
    /// <param name="help">A sentence about it.</param>
    /// <param name="bounds">Upper bounds, ascending, in seconds.</param>
    /// <param name="counts">How many fell below each and above the one before; one more than bounds.</param>
    /// <param name="sum">All of them together, in seconds.</param>
    public void AddHistogram(string name, string help, IEnumerable<double> bounds, IReadOnlyList<long> counts, double sum)
    {
        Begin(name, help, "histogram");
        var total = 0L;
        var at = 0;
        foreach (var bound in bounds.Append(double.PositiveInfinity))
        {
            total += counts[at++];
            Value($"{name}_bucket{{{Label("le", Number(bound))}}}", total);
        }

        Value(name + "_sum", sum);
        Value(name + "_count", total);
    }

    /// <summary>A label, its value escaped.</summary>
    public static string Label(string name, string value) =>
        $"{name}=\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";

    public byte[] ToBytes() => Encoding.UTF8.GetBytes(_text.ToString());

    /// <summary>The name says what it is: totals only ever grow.</summary>
    private void Begin(string name, string help, string? type = null)
    {
        type ??= name.EndsWith("_total", StringComparison.Ordinal) ? "counter" : "gauge";
        _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
    }

    private void Value(string name, double value) => _text.Append(CultureInfo.InvariantCulture, $"{name} {Number(value)}\n");

    private static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
