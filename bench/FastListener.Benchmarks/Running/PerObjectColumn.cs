using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace FastListener.Benchmarks.Running;

/// <summary>Objects a second, for benchmarks whose one operation is a batch of so many.</summary>
internal sealed class PerObjectColumn : IColumn
{
    public string Id => nameof(PerObjectColumn);

    public string ColumnName => "Objects/s";

    public bool AlwaysShow => false;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string Legend => "Batch / Mean";

    public bool IsAvailable(Summary summary) => summary.BenchmarksCases.Any(benchmark => BatchOf(benchmark) is not null);

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => BatchOf(benchmarkCase) is null;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) =>
        BatchOf(benchmarkCase) is { } batch && summary[benchmarkCase]?.ResultStatistics is { } statistics
            ? (batch * 1e9 / statistics.Mean).ToString("N0", CultureInfo.InvariantCulture)
            : "-";

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    private static int? BatchOf(BenchmarkCase benchmark) =>
        benchmark.Parameters.Items.FirstOrDefault(item => item.Name == "Batch")?.Value as int?;
}
