using System.Globalization;

namespace FastListener.Load.Compare;

/// <summary>Figures as the tables show them.</summary>
internal static class Figures
{
    /// <summary>The figure's name in a row.</summary>
    public static string Words(Figure figure) => figure switch
    {
        Figure.Rate or Figure.MebibytesPerSecond => "rate",
        Figure.CpuPerRequest => "server CPU",
        Figure.CpuPerMebibyte => "server CPU per MiB",
        Figure.P99 => "p99",
        Figure.AnonymousMebibytes => "anonymous memory",
        Figure.AllocatedPerRequest => "bytes",
        Figure.Resumed => "sessions resumed, of its own handshakes",
        _ => throw new ArgumentOutOfRangeException(nameof(figure)),
    };

    /// <summary>A value of a server's own, with its unit.</summary>
    public static string Own(Spread spread, Figure figure) => Range(spread, figure == Figure.Resumed ? Percent : Number) + figure switch
    {
        Figure.Rate => "/s",
        Figure.MebibytesPerSecond => " MiB/s",
        Figure.CpuPerRequest => " us",
        Figure.CpuPerMebibyte or Figure.P99 => " ms",
        Figure.AnonymousMebibytes => " MiB",
        Figure.AllocatedPerRequest => " bytes",
        Figure.Resumed => " %",
        _ => throw new ArgumentOutOfRangeException(nameof(figure)),
    };

    /// <summary>The same for a column whose head has the unit; empty when there is no value.</summary>
    public static string Bare(Spread? spread, Figure figure) => spread is { } s ? Range(s, figure == Figure.Resumed ? Percent : Number) : "";

    public static string Ratio(Spread? spread) => spread is { } s ? Range(s, Number) : "";

    public static string Number(double value) => Math.Abs(value) switch
    {
        >= 1000 => string.Create(CultureInfo.InvariantCulture, $"{value:#,0}"),
        >= 100 => string.Create(CultureInfo.InvariantCulture, $"{value:0}"),
        >= 10 => string.Create(CultureInfo.InvariantCulture, $"{value:0.#}"),
        >= 0.1 => string.Create(CultureInfo.InvariantCulture, $"{value:0.##}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value:0.####}"),
    };

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0}");

    private static string Range(Spread spread, Func<double, string> format) =>
        spread.Rounds == 1 ? format(spread.Median) : $"{format(spread.Median)} [{format(spread.Low)}-{format(spread.High)}]";
}
