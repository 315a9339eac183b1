using System.Globalization;
using System.Text;

namespace FastListener.Load.Reports;

/// <summary>One line of a chart.</summary>
internal sealed record Series(string Name, string Colour, IReadOnlyList<(double X, double Y)> Points, bool Thin = false, bool Filled = false);

/// <summary>A line chart over seconds as one self-contained SVG. On a logarithmic axis what is not above zero leaves a gap.</summary>
internal sealed record SvgChart(string Title, string Unit, IReadOnlyList<Series> Series, bool Logarithmic = false, Func<double, string>? Label = null)
{
    private const int Width = 720;
    private const int Height = 250;
    private const int Left = 62;
    private const int Right = 16;
    private const int Top = 44;
    private const int Bottom = 34;

    public string Render()
    {
        var maxX = Math.Max(0.001, Series.SelectMany(s => s.Points).Select(p => p.X).DefaultIfEmpty(1).Max());
        var values = Series.SelectMany(s => s.Points).Select(p => p.Y).Where(y => !Logarithmic || y > 0).ToArray();
        var (low, high, ticks) = Logarithmic ? LogAxis(values) : LinearAxis(values);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" width=\"{Width}\" height=\"{Height}\" role=\"img\" aria-label=\"{Escape(Title)}\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"11\">");
        svg.Append(CultureInfo.InvariantCulture, $"<rect width=\"{Width}\" height=\"{Height}\" fill=\"#ffffff\"/>");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"16\" font-size=\"13\" font-weight=\"600\" fill=\"#1f2933\">{Escape(Title)}</text>");
        var legendX = (double)Left;
        foreach (var series in Series)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{legendX:0}\" y1=\"30\" x2=\"{legendX + 16:0}\" y2=\"30\" stroke=\"{series.Colour}\" stroke-width=\"{(series.Thin ? 1.2 : 2.4)}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{legendX + 21:0}\" y=\"34\" fill=\"#3e4c59\">{Escape(series.Name)}</text>");
            legendX += 38 + (series.Name.Length * 6.4);
        }

        foreach (var tick in ticks)
        {
            var y = Y(tick, low, high);
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" y1=\"{y:0.0}\" x2=\"{Width - Right}\" y2=\"{y:0.0}\" stroke=\"#e4e7eb\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 7}\" y=\"{y + 4:0.0}\" text-anchor=\"end\" fill=\"#616e7c\">{Escape((Label ?? Short)(tick))}</text>");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width - Right}\" y=\"16\" text-anchor=\"end\" fill=\"#616e7c\">{Escape(Unit)}</text>");
        var step = NiceStep(maxX / 8);
        for (var i = 0; i * step <= maxX * 1.0001; i++)
        {
            var x = X(i * step, maxX);
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x:0.0}\" y1=\"{Height - Bottom}\" x2=\"{x:0.0}\" y2=\"{Height - Bottom + 4}\" stroke=\"#9aa5b1\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.0}\" y=\"{Height - Bottom + 17}\" text-anchor=\"middle\" fill=\"#616e7c\">{i * step:0.##}{(i == 0 ? " s" : "")}</text>");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" y1=\"{Height - Bottom}\" x2=\"{Width - Right}\" y2=\"{Height - Bottom}\" stroke=\"#9aa5b1\"/>");
        foreach (var series in Series)
        {
            foreach (var run in Runs(series))
            {
                var path = new StringBuilder();
                foreach (var (px, py) in run)
                {
                    path.Append(CultureInfo.InvariantCulture, $"{(path.Length == 0 ? 'M' : 'L')}{X(px, maxX):0.0} {Y(py, low, high):0.0}");
                }

                if (series.Filled && run.Count > 1)
                {
                    svg.Append(CultureInfo.InvariantCulture, $"<path d=\"{path}L{X(run[^1].X, maxX):0.0} {Height - Bottom}L{X(run[0].X, maxX):0.0} {Height - Bottom}Z\" fill=\"{series.Colour}\" fill-opacity=\"0.14\"/>");
                }

                if (run.Count == 1)
                {
                    svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(run[0].X, maxX):0.0}\" cy=\"{Y(run[0].Y, low, high):0.0}\" r=\"2.2\" fill=\"{series.Colour}\"/>");
                }
                else
                {
                    svg.Append(CultureInfo.InvariantCulture, $"<path d=\"{path}\" fill=\"none\" stroke=\"{series.Colour}\" stroke-width=\"{(series.Thin ? 1.2 : 2)}\" stroke-linejoin=\"round\"/>");
                }
            }
        }

        return svg.Append("</svg>").ToString();
    }

    public static string Escape(string text) => System.Net.WebUtility.HtmlEncode(text);

    private static double X(double x, double maxX) => Left + (x / maxX * (Width - Left - Right));

    private double Y(double y, double low, double high)
    {
        var share = Logarithmic
            ? (Math.Log10(Math.Max(y, low)) - Math.Log10(low)) / (Math.Log10(high) - Math.Log10(low))
            : (y - low) / (high - low);
        return Height - Bottom - (share * (Height - Top - Bottom - 4));
    }

    private IEnumerable<List<(double X, double Y)>> Runs(Series series)
    {
        var run = new List<(double, double)>();
        foreach (var point in series.Points)
        {
            if (Logarithmic && point.Y <= 0)
            {
                if (run.Count > 0)
                {
                    yield return run;
                    run = [];
                }
            }
            else
            {
                run.Add(point);
            }
        }

        if (run.Count > 0)
        {
            yield return run;
        }
    }

    private static (double Low, double High, double[] Ticks) LinearAxis(double[] values)
    {
        var top = values.DefaultIfEmpty(0).Max();
        top = top > 0 ? top : 1;
        var step = NiceStep(top / 4);
        var high = Math.Ceiling((top / step) - 1e-9) * step;
        return (0, high, [.. Enumerable.Range(0, (int)Math.Round(high / step) + 1).Select(i => i * step)]);
    }

    private static (double Low, double High, double[] Ticks) LogAxis(double[] values)
    {
        if (values.Length == 0)
        {
            return (1, 10, [1, 10]);
        }

        var low = Math.Pow(10, Math.Floor(Math.Log10(values.Min())));
        var high = Math.Pow(10, Math.Ceiling(Math.Log10(values.Max()) + 1e-9));
        var ticks = new List<double>();
        for (var tick = low; tick <= high * 1.001; tick *= 10)
        {
            ticks.Add(tick);
        }

        return (low, high, [.. ticks]);
    }

    private static double NiceStep(double rough)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(rough, 1e-9))));
        return (rough / power) switch { <= 1 => power, <= 2 => 2 * power, <= 5 => 5 * power, _ => 10 * power };
    }

    private static string Short(double value) => value switch
    {
        >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{value / 1_000_000:0.##} M"),
        >= 10_000 => string.Create(CultureInfo.InvariantCulture, $"{value / 1000:0.##} k"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value:0.###}"),
    };
}
