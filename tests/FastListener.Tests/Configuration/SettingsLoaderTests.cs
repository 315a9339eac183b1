using FastListener.Configuration;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace FastListener.Tests.Configuration;

public class SettingsLoaderTests
{
    [Fact]
    public void Every_fault_is_named_at_once()
    {
        var configuration = Of(
            ("Limits:MaxHeadBytes", "lots"),
            ("Limits:MaxFeilds", "3"),
            ("Deadlines:IdleSeconds", "0"),
            ("Overload:Degrade", "everything"),
            ("Overload:DegradeAfterSeconds", "30"),
            ("Listen:Transport", "pigeon"));

        Assert.False(SettingsLoader.TryLoad(configuration, "data", http: "nowhere", https: "off", out _, out var faults, admin: "somewhere"));

        Assert.Contains(faults, fault => fault.Contains("MaxHeadBytes", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains("MaxFeilds", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains("IdleSeconds", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains("pigeon", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains("nowhere", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains("'everything'", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains("must be less than Overload:MaxWaitSeconds", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.Contains("somewhere", StringComparison.Ordinal));
        Assert.Equal(8, faults.Count);
    }

    [Fact]
    public void An_empty_configuration_gives_the_defaults()
    {
        Assert.True(SettingsLoader.TryLoad(Of(), "data", http: null, https: null, out var settings, out var faults));

        Assert.Empty(faults);
        Assert.Equal("*:6097", settings.Listen.Http);
        Assert.Equal("*:6098", settings.Listen.Https);
        Assert.Equal("127.0.0.1:6099", settings.Listen.Admin);
        Assert.Equal(new IntakeLimits(), settings.Limits);
        Assert.Equal(new DeadlineOptions(), settings.Deadlines);
        Assert.Equal(new OverloadOptions(), settings.Overload);
        Assert.Equal(new StorageSettings(), settings.Storage);
    }

    [Theory]
    [InlineData("*:6097", true)]
    [InlineData("127.0.0.1:6097", true)]
    [InlineData("[::1]:6097", true)]
    [InlineData("localhost:0", true)]
    [InlineData("off", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData(":6097", false)]
    [InlineData("*:70000", false)]
    [InlineData("::1", false)]
    public void An_address_needs_its_port(string text, bool readable)
    {
        Assert.Equal(readable, ListenSettings.TryParse(text, out _));
    }

    private static IConfigurationRoot Of(params (string Key, string Value)[] pairs) =>
        new ConfigurationBuilder().AddInMemoryCollection(pairs.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value))).Build();
}
