using System.Globalization;
using FastListener.Cli;
using Xunit;

namespace FastListener.Tests.Cli;

public class OptionValuesTests
{
    [Theory]
    [InlineData("15m", "2025-03-14T14:54:26Z")]
    [InlineData("2h", "2025-03-14T13:09:26Z")]
    [InlineData("7d", "2025-03-07T15:09:26Z")]
    [InlineData("30s", "2025-03-14T15:08:56Z")]
    [InlineData("1w", "2025-03-07T15:09:26Z")]
    [InlineData("0s", "2025-03-14T15:09:26Z")]
    [InlineData("2025-03-01", "2025-03-01T00:00:00Z")]
    [InlineData("2025-03-01T12:30", "2025-03-01T12:30:00Z")]
    [InlineData("2025-03-01 12:30", "2025-03-01T12:30:00Z")]
    [InlineData("2025-03-01T12:30:05", "2025-03-01T12:30:05Z")]
    [InlineData("2025-03-01T12:30:05Z", "2025-03-01T12:30:05Z")]
    [InlineData("2025-03-01T12:30:05.250+02:00", "2025-03-01T10:30:05.250Z")]
    [InlineData("2025-03-01T12:30-05:00", "2025-03-01T17:30:00Z")]
    public void Since_takes_times_and_durations(string text, string expected)
    {
        Assert.True(OptionValues.TryReadTime(text, CommandRun.Now, out var time));
        Assert.Equal(DateTimeOffset.Parse(expected, CultureInfo.InvariantCulture), time);
    }

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("-5m")]
    [InlineData("1.5h")]
    [InlineData("5x")]
    [InlineData("5")]
    [InlineData("99999999999d")]
    [InlineData("2000000000w")]
    [InlineData("yesterday")]
    [InlineData("2025-02-30")]
    [InlineData("03/01/2025")]
    public void Since_takes_nothing_else(string text) => Assert.False(OptionValues.TryReadTime(text, CommandRun.Now, out _));
}
