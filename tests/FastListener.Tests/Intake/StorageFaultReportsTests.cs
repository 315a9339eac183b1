using FastListener.Intake;
using FastListener.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace FastListener.Tests.Intake;

public class StorageFaultReportsTests
{
    [Fact]
    public void A_disk_that_fails_is_told_of_once_a_minute_and_what_the_refusal_tells_whole_is_not()
    {
        var time = new FakeTimeProvider();
        var log = new Levels();
        var reports = new StorageFaultReports(time, log);
        reports.Report(new(StorageFaultKind.DiskFull, "full"));
        reports.Report(new(StorageFaultKind.ObjectGone, "gone"));
        Assert.Empty(log.Seen);

        reports.Report(new(StorageFaultKind.InputOutput, "one"));
        reports.Report(new(StorageFaultKind.InputOutput, "two"));
        time.Advance(TimeSpan.FromSeconds(60));
        reports.Report(new(StorageFaultKind.InputOutput, "three"));
        Assert.Equal([LogLevel.Error, LogLevel.Debug, LogLevel.Error], log.Seen);
    }

    private sealed class Levels : ILogger
    {
        public List<LogLevel> Seen { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Seen.Add(logLevel);
    }
}
