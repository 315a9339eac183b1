using System.Globalization;
using FastListener.Storage;
using Spectre.Console;

namespace FastListener.Cli;

/// <summary>
/// Shows how far a long job has come, on standard error: bars on a terminal, elsewhere a line at each new stage and
/// every few seconds.
/// </summary>
internal static class UpkeepView
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(5);

    public static T Run<T>(Terminal terminal, Func<IProgress<UpkeepProgress>, T> job) => terminal.RichError is { } console
        ? console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new SpinnerColumn())
            .Start(context => job(new Bars(context)))
        : job(new Lines(terminal));

    private static string Words(UpkeepProgress progress) => string.Create(
        CultureInfo.InvariantCulture,
        $"{progress.Stage}: {progress.Done}{(progress.Total > 0 ? $" of {progress.Total}" : "")}, {TerminalText.Size(progress.Bytes)}");

    private sealed class Bars(ProgressContext context) : IProgress<UpkeepProgress>
    {
        private readonly Dictionary<string, ProgressTask> _stages = new(StringComparer.Ordinal);
        private readonly Lock _reporting = new();

        public void Report(UpkeepProgress value)
        {
            lock (_reporting)
            {
                if (!_stages.TryGetValue(value.Stage, out var stage))
                {
                    stage = context.AddTask(Markup.Escape(value.Stage));
                    _stages.Add(value.Stage, stage);
                }

                stage.IsIndeterminate = value.Total <= 0;
                stage.MaxValue = Math.Max(value.Total, 1);
                stage.Value = value.Total > 0 ? value.Done : 0;
                stage.Description = Markup.Escape(Words(value));
            }
        }
    }

    private sealed class Lines(Terminal terminal) : IProgress<UpkeepProgress>
    {
        private readonly Lock _reporting = new();
        private string? _stage;
        private long _writtenAt;

        public void Report(UpkeepProgress value)
        {
            lock (_reporting)
            {
                if (value.Stage == _stage && terminal.Clock.GetElapsedTime(_writtenAt) < LineInterval)
                {
                    return;
                }

                _stage = value.Stage;
                _writtenAt = terminal.Clock.GetTimestamp();
                terminal.Error.WriteLine(Words(value));
            }
        }
    }
}
