using FastListener.Configuration;
using FastListener.Tests.Tokens;
using Microsoft.AspNetCore.Server.Kestrel.Https;
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

    [Theory]
    [InlineData("Overload:Degrade:0", "everything", "Overload:Degrade: 'everything'")]
    [InlineData("Overload:Degrade:rungs", "without_attachments,bits", "Overload:Degrade: 'without_attachments,bits'")]
    [InlineData("Overload:Degrade:0:word", "without_attachments", "Overload:Degrade: is a single value")]
    [InlineData("Limits:MaxBodyBytes:Default", "5", "Limits:MaxBodyBytes: is a single value")]
    [InlineData("Limits:MaxParts:0", "5", "Limits:MaxParts: is a single value")]
    [InlineData("Limt:MaxBodyBytes", "5", "Limt: there is no such section")]
    [InlineData("Limits", "5", "Limits: is a section")]
    [InlineData("Limits:MaxParts", "1000001", "Limits:MaxParts: 1000001 is above 1000000")]
    [InlineData("Storage:PayloadMemoryBytes", "1", "Storage:PayloadMemoryBytes: 1 is below 4194304")]
    [InlineData("Logging:LogLevel:Default", "Loud", "Logging:LogLevel:Default: 'Loud' is none of Trace, Debug")]
    [InlineData("Logging:Console:LogLevel:FastListener.Transport", "Loud", "Logging:Console:LogLevel:FastListener.Transport: 'Loud'")]
    public void What_would_be_passed_over_in_silence_is_a_fault(string key, string value, string said)
    {
        Assert.False(SettingsLoader.TryLoad(Of((key, value)), "data", http: null, https: null, out _, out var faults));

        Assert.StartsWith(said, Assert.Single(faults), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Logging:LogLevel:Default", "debug")]
    [InlineData("Logging:LogLevel:Default", "")]
    [InlineData("Logging:Format", "json")]
    [InlineData("Logging:Console:FormatterOptions:LogLevel:Word", "Loud")]
    [InlineData("SERVICE_HOST", "10.0.0.1")] // FASTLISTENER_SERVICE_HOST is what an orchestrator sets for a service of that name
    [InlineData("Data", "somewhere")]
    public void What_others_read_is_no_fault(string key, string value)
    {
        Assert.True(SettingsLoader.TryLoad(Of((key, value)), "data", http: null, https: null, out _, out var faults), string.Join(' ', faults));
    }

    [Theory]
    [InlineData("{\n  \"Limits\": { \"MaxParts\": 10\n", "line 3, byte 1: Expected depth to be zero")]
    [InlineData("[]", "Top-level JSON element must be an object.")]
    public void A_file_that_is_no_JSON_is_named_with_the_line_and_the_reason(string json, string reason)
    {
        using var data = new DataDirectory();
        var file = data.File("appsettings.json");
        File.WriteAllText(file, json);
        Assert.False(SettingsLoader.TryRead(data.Path, out var configuration, out var fault));
        Assert.Null(configuration);
        Assert.StartsWith($"Failed to load configuration from file '{file}': {reason}", fault, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault);
    }

    [Fact]
    public void The_file_in_the_data_directory_is_read_and_there_need_be_none()
    {
        using var data = new DataDirectory();
        Assert.True(SettingsLoader.TryRead(data.Path, out var configuration, out _));
        Assert.Null(configuration["Limits:MaxParts"]);
        File.WriteAllText(data.File("appsettings.json"), "{ \"Limits\": { \"MaxParts\": 10 } }");
        Assert.True(SettingsLoader.TryRead(data.Path, out configuration, out var fault));
        Assert.Equal(("10", null), (configuration["Limits:MaxParts"], fault));
    }

    [Fact]
    public void Rungs_may_be_a_list_as_they_are_in_tokens_json()
    {
        var configuration = Of(("Overload:Degrade:0", "without_attachments"), ("Overload:Degrade:1", "metadata_only"));

        Assert.True(SettingsLoader.TryLoad(configuration, "data", http: null, https: null, out var settings, out var faults), string.Join(' ', faults));
        Assert.Equal(Rungs.WithoutAttachments | Rungs.MetadataOnly, settings.Overload.Degrade);
    }

    [Fact]
    public void The_deadline_of_a_handshake_is_set_and_else_Kestrels()
    {
        Assert.True(SettingsLoader.TryLoad(Of(("Deadlines:TlsHandshakeSeconds", "3")), "data", http: null, https: null, out var settings, out _));
        Assert.Equal(TimeSpan.FromSeconds(3), settings.Deadlines.TlsHandshake);
        Assert.Equal(new TlsHandshakeCallbackOptions().HandshakeTimeout, new DeadlineOptions().TlsHandshake);
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
