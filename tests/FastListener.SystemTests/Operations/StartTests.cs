using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>What an operator meets first.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task The_first_start_makes_everything_and_prints_a_curl_line_that_works_when_pasted()
    {
        Assert.SkipWhen(Command.Find("curl") is null, "curl is not installed.");
        using var data = new DataDirectory();
        await using var listener = await ListenerProcess.StartAsync(data.Location);

        Assert.Contains($"Data in {data.Location}", listener.Banner);
        Assert.Single(listener.Banner, line => line.StartsWith("Token ", StringComparison.Ordinal));
        var line = listener.Banner.First(line => line.TrimStart() is var text
            && (text.StartsWith("curl ", StringComparison.Ordinal) || text.Contains("| curl ", StringComparison.Ordinal)));
        var pasted = await Command.BashAsync(line, data.Scratch(""));

        Assert.Contains("{\"response\":\"ok\",\"_rxid\":\"", pasted.Expect().Output, StringComparison.Ordinal);
        var stored = Assert.Single(await data.ListAsync());
        Assert.Equal("minidump", stored.Format);
    }

    [Fact]
    public async Task A_later_start_keeps_what_there_is_and_prints_no_token()
    {
        using var data = new DataDirectory();
        string token;
        string rxid;
        await using (var first = await ListenerProcess.StartAsync(data.Location))
        {
            token = first.Banner.Single(line => line.StartsWith("Token ", StringComparison.Ordinal))["Token ".Length..].Trim();
            rxid = Submit.Dump(first.HttpPort, token, Repository.BreakpadDump).ReceiptOf();
            Assert.Equal(0, await first.StopAsync());
        }

        await using var second = await ListenerProcess.StartAsync(data.Location);
        Assert.DoesNotContain(second.Banner, line => line.Contains(token, StringComparison.Ordinal));
        Assert.Equal(200, Submit.Dump(second.HttpPort, token, Repository.BreakpadDump).Status);
        Assert.Equal(Repository.Sha256(Repository.BreakpadDump), Repository.Sha256(await data.ExportAsync(rxid)));
    }

    [Fact]
    public async Task A_first_start_that_fails_leaves_the_first_token_to_the_one_that_succeeds()
    {
        using var other = new DataDirectory();
        await using var occupant = await ListenerProcess.StartAsync(other.Location);
        using var data = new DataDirectory();
        var failed = await Command.FastListenerAsync("serve", "--data", data.Location, "--http", $"127.0.0.1:{occupant.HttpPort}", "--https", "off", "--admin", "off");
        Assert.Equal(1, failed.ExitCode);

        await using var listener = await ListenerProcess.StartAsync(data.Location);
        var token = Assert.Single(listener.Banner, line => line.StartsWith("Token ", StringComparison.Ordinal))["Token ".Length..].Trim();
        Assert.Equal(200, Submit.Dump(listener.HttpPort, token, Repository.BreakpadDump).Status);
    }

    [Theory]
    [InlineData("http", "--http", "systemctl mask --now fastlistener.socket")]
    [InlineData("https", "--https", "systemctl mask --now fastlistener-tls.socket")]
    public async Task A_port_that_is_off_but_passed_on_is_refused_with_the_cure(string name, string option, string cure)
    {
        using var data = new DataDirectory();
        var run = await Command.BashAsync(
            $"LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES={name} exec dotnet '{Repository.Program}' serve --data '{data.Location}' {option} off 3</dev/null", data.Scratch(""));
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(cure, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_added_before_the_first_start_is_the_only_one()
    {
        using var data = new DataDirectory();
        var token = await data.AddTokenAsync("game");
        await using var listener = await ListenerProcess.StartAsync(data.Location);
        Assert.DoesNotContain(listener.Banner, line => line.StartsWith("Token ", StringComparison.Ordinal));
        Assert.Equal(200, Submit.Dump(listener.HttpPort, token, Repository.BreakpadDump).Status);
    }

    [Fact]
    public async Task A_second_serve_on_the_same_data_shares_it_and_salvage_is_refused_beside_them()
    {
        using var data = new DataDirectory();
        var token = await data.AddTokenAsync("game");
        await using var first = await ListenerProcess.StartAsync(data.Location);
        await using var second = await ListenerProcess.StartAsync(data.Location);
        var rxid = Submit.Dump(first.HttpPort, token, Repository.BreakpadDump).ReceiptOf();
        Assert.NotEqual(rxid, Submit.Dump(second.HttpPort, token, Repository.BreakpadDump).ReceiptOf());
        using var client = RawClient.Connect(second.HttpPort);
        client.Send(Submit.AttachmentRequest(token, rxid, "late.txt", [1, 2, 3]));
        Assert.Equal(200, client.ReadReply().Status);

        var salvage = await Command.FastListenerAsync("salvage", "--data", data.Location);
        Assert.Equal(1, salvage.ExitCode);
        Assert.Contains(data.Location, salvage.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", salvage.Error, StringComparison.Ordinal);
        Assert.Equal(0, await first.StopAsync());
        Assert.Equal(200, Submit.Dump(second.HttpPort, token, Repository.BreakpadDump).Status);
        Assert.Equal(3, (await data.ListAsync()).Count);
        (await data.VerifyAsync()).Expect();
    }

    [Fact]
    public async Task Wrong_addresses_are_all_named_at_once_and_end_with_2()
    {
        using var data = new DataDirectory();
        var run = await Command.FastListenerAsync("serve", "--data", data.Location, "--http", "nonsense", "--https", "127.0.0.1:99999");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("nonsense", run.Error, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1:99999", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_that_are_no_JSON_are_named_in_one_line_and_end_with_2()
    {
        using var data = new DataDirectory();
        Directory.CreateDirectory(data.Location);
        var settings = Path.Combine(data.Location, "appsettings.json");
        await File.WriteAllTextAsync(settings, "{\n  \"Limits\": { \"MaxParts\": 10\n", TestContext.Current.CancellationToken);
        var run = await Command.FastListenerAsync("serve", "--data", data.Location, "--http", "127.0.0.1:0", "--https", "off", "--admin", "off");
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        var line = Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains($"'{settings}': line 3, byte 1: ", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Logging__LogLevel__Default", "Loud", "Logging:LogLevel:Default: 'Loud' is none of Trace, ")]
    [InlineData("Logging__Console__FormatterOptions__SingleLine", "maybe", "Logging: Failed to convert configuration value 'maybe'")]
    [InlineData("Logging__Console__MaxQueueLength", "0", "Logging: ")]
    public async Task A_wrong_setting_of_the_log_is_named_in_one_line_and_ends_with_2(string name, string value, string said)
    {
        using var data = new DataDirectory();
        var run = await Command.RunAsync(
            "env", [$"FASTLISTENER_{name}={value}", "dotnet", Repository.Program, "serve", "--data", data.Location, "--http", "127.0.0.1:0", "--https", "off", "--admin", "off"]);
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.StartsWith(said, Assert.Single(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_wrong_setting_holds_does_not_steer_the_terminal_that_shows_it()
    {
        using var data = new DataDirectory();
        var run = await Command.FastListenerAsync("serve", "--data", data.Location, "--http", "\u001b[2J\n127.0.0.1:0");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("'\\x1b[2J\\n127.0.0.1:0' is not ADDRESS:PORT", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', run.Error);
    }

    [Theory]
    [InlineData("serve", "--htttp", "127.0.0.1:0")]
    [InlineData("frobnicate")]
    [InlineData("list", "--limit", "many")]
    [InlineData("token", "add")]
    public async Task A_wrong_command_line_ends_with_2(params string[] arguments)
    {
        var run = await Command.FastListenerAsync(arguments);
        Assert.Equal(2, run.ExitCode);
        Assert.NotEqual("", run.Error.Trim());
    }

    [Theory]
    [InlineData]
    [InlineData("serve")]
    [InlineData("token", "add")]
    [InlineData("token", "list")]
    [InlineData("token", "disable")]
    [InlineData("list")]
    [InlineData("show")]
    [InlineData("export")]
    [InlineData("verify")]
    [InlineData("salvage")]
    [InlineData("backup")]
    [InlineData("send")]
    public async Task Help_is_there_for_every_verb(params string[] verb)
    {
        var run = await Command.FastListenerAsync([.. verb, "--help"]);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("Usage", run.Output, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("--data", verb is [] or ["send"] ? run.Output + "--data" : run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_said_and_ends_with_1()
    {
        using var data = new DataDirectory();
        using var other = new DataDirectory();
        await using var listener = await ListenerProcess.StartAsync(data.Location);
        var run = await Command.FastListenerAsync("serve", "--data", other.Location, "--http", $"127.0.0.1:{listener.HttpPort}", "--https", "off");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"{listener.HttpPort}", run.Error, StringComparison.Ordinal);
    }
}
