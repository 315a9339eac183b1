using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>What the listener tells of itself, and that nothing that happens there costs an upload.</summary>
public sealed class AdminTests
{
    [Fact]
    public async Task Health_and_readiness_are_200_and_what_is_no_page_is_said_to_be_none()
    {
        await using var server = await TunedListener.StartAsync();
        Assert.Equal(("ok\n", 200), (AdminClient.Get(server.AdminPort, "/healthz").Body, AdminClient.Get(server.AdminPort, "/healthz?verbose").Status));
        Assert.Equal(200, AdminClient.Get(server.AdminPort, "/readyz").Status);
        Assert.True(AdminClient.Json(server.AdminPort, "/readyz").GetProperty("ready").GetBoolean());
        Assert.Equal(404, AdminClient.Get(server.AdminPort, "/post?format=minidump").Status);
        Assert.Equal(405, AdminClient.Ask(server.AdminPort, "POST /metrics HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nab").Status);
        Assert.Equal(400, AdminClient.Ask(server.AdminPort, "GET /met rics HTTP/1.1\r\n\r\n").Status);
        using var head = RawClient.Connect(server.AdminPort);
        head.Send("HEAD /healthz HTTP/1.1\r\nHost: test\r\n\r\n");
        Assert.Equal("3", head.ReadHead()!.Header("Content-Length"));
        Assert.Equal("", head.ReadToEnd());
    }

    [Fact]
    public async Task Metrics_count_what_was_done_and_can_be_read_by_Prometheus()
    {
        await using var server = await TunedListener.StartAsync();
        var before = AdminClient.Metrics(server.AdminPort);
        var dump = Submit.MadeDump(1, 5000);
        for (var index = 0; index < 3; index++)
        {
            Submit.Dump(server.Port, server.Token, dump).ReceiptOf();
        }

        Submit.Dump(server.Port, server.Token, Submit.MadeDump(2, 3_000_000)).ReceiptOf();
        Assert.Equal(403, Submit.Dump(server.Port, "nonsense", dump).Status);
        Assert.Equal(400, Submit.Dump(server.Port, server.Token, "nothing of that kind"u8).Status);

        var now = AdminClient.Metrics(server.AdminPort);
        Assert.Equal(0, before["fastlistener_accepted_total"]);
        Assert.Equal(4, now["fastlistener_accepted_total"]);
        Assert.Equal(1, now["fastlistener_refused_total{reason=\"invalid_token\"}"]);
        Assert.Equal(1, now["fastlistener_refused_total{reason=\"not_a_minidump\"}"]);
        Assert.Equal(0, now["fastlistener_refused_total{reason=\"overloaded\"}"]);
        Assert.Equal(1, now["fastlistener_wrong_tokens_total"]);
        Assert.Equal(3_015_000, now["fastlistener_accepted_bytes_total"]);
        Assert.Equal(3_015_020, now["fastlistener_received_bytes_total"]); // nothing is read after a wrong token in the head
        Assert.Equal(4, now["fastlistener_objects_committed_total"]);
        Assert.Equal(1, now["fastlistener_large_payloads_committed_total"]);
        Assert.Equal(4, now["fastlistener_commit_seconds_count"]);
        Assert.Equal(4, now["fastlistener_commit_seconds_bucket{le=\"+Inf\"}"]);
        Assert.True(now["fastlistener_commit_seconds_sum"] > 0);
        Assert.Equal(0, now["fastlistener_uploads_in_flight"]);
        Assert.Equal(0, now["fastlistener_pressure{source=\"memory\"}"]);
        Assert.Equal(0, now["fastlistener_pressure{source=\"committer\"}"]);
        Assert.InRange(now["process_anonymous_memory_bytes"], 1_000_000, 1_000_000_000);
        Assert.InRange(now["process_resident_memory_bytes"], now["process_anonymous_memory_bytes"], 1_000_000_000);
        Assert.InRange(now["process_open_fds"], 10, 1000);
        Assert.True(now["process_max_fds"] > now["process_open_fds"]);
        AssertWellFormed(AdminClient.Get(server.AdminPort, "/metrics").Body);
    }

    [Fact]
    public async Task Every_metric_that_the_operators_page_names_is_there()
    {
        await using var server = await TunedListener.StartAsync();
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "src", "OPERATING.md"), TestContext.Current.CancellationToken);
        var named = Regex.Matches(page, @"\b(fastlistener|process|dotnet)_[a-z_]+(\{[^}]+\})?").Select(match => match.Value).Distinct().ToList();
        Assert.Contains("fastlistener_commit_fault", named);
        var metrics = AdminClient.Get(server.AdminPort, "/metrics").Body;
        Assert.DoesNotContain(named, name => !metrics.Contains(name.EndsWith('}') ? $"\n{name} " : $"\n# TYPE {name} ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_upload_under_way_is_listed_with_how_far_it_is_and_never_with_its_token()
    {
        await using var server = await TunedListener.StartAsync();
        Assert.Equal("[]\n", AdminClient.Get(server.AdminPort, "/requests").Body);
        var dump = Submit.MadeDump(1, 100_000);
        using var client = RawClient.Connect(server.Port);
        var request = Submit.RawRequest(server.Token, dump);
        client.Send(request.AsSpan(0, request.Length - 40_000));
        await Eventually.TrueAsync(
            () => AdminClient.Json(server.AdminPort, "/requests").EnumerateArray().Any(item => item.GetProperty("wireBytes").GetInt64() == 60_000), "it is listed");

        using var stranger = RawClient.Connect(server.Port);
        stranger.Send("POST /post?format=minidump HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n");
        await Eventually.TrueAsync(() => AdminClient.Json(server.AdminPort, "/requests").GetArrayLength() == 2, "both are listed");
        var reply = AdminClient.Get(server.AdminPort, "/requests");
        var listed = JsonDocument.Parse(reply.Body).RootElement.EnumerateArray().ToList();
        var upload = listed.Single(item => item.GetProperty("key").GetString() != "");
        Assert.Equal("acme/game", upload.GetProperty("project").GetString());
        Assert.Equal($"{server.Token[..4]}…{server.Token[^2..]}", upload.GetProperty("token").GetString());
        Assert.Equal("127.0.0.1", upload.GetProperty("client").GetString());
        Assert.Equal("body", upload.GetProperty("stage").GetString());
        Assert.InRange(upload.GetProperty("ageSeconds").GetDouble(), 0, 60);
        Assert.DoesNotContain(server.Token[8..24], reply.Body, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("", listed.Single(item => item.GetProperty("key").GetString() == "").GetProperty("token").GetString());

        client.Send(request.AsSpan(request.Length - 40_000));
        client.ReadReply().ReceiptOf();
        stranger.Dispose();
        await Eventually.TrueAsync(() => AdminClient.Get(server.AdminPort, "/requests").Body == "[]\n", "nothing is under way any more");
    }

    [Fact]
    public async Task Wrong_tokens_are_counted_whatever_the_answer_to_them_is_and_valid_ones_never()
    {
        await using var server = await TunedListener.StartAsync();
        var second = await server.AddTokenAsync("game");
        var before = AdminClient.Metrics(server.AdminPort)["fastlistener_wrong_tokens_total"];
        Assert.Equal("404 405 404 403", Statuses("POST /acme/wrong/zzz", "GET /acme/wrong/json", "POST /post?resource=x&token=wrong", "POST /post?format=btt&token=wrong"));
        Assert.Equal(4, AdminClient.Metrics(server.AdminPort)["fastlistener_wrong_tokens_total"] - before);

        Assert.Equal(
            "403 403 403 400",
            Statuses($"POST /post?format=symbols&token={second}", $"POST /elsewhere/{second}/json", $"POST /acme/{second}/json?token={server.Token}", $"POST /acme/{second}/zzz"));
        Assert.Equal(4, AdminClient.Metrics(server.AdminPort)["fastlistener_wrong_tokens_total"] - before);

        string Statuses(params string[] requests) => string.Join(' ', requests.Select(
            request =>
            {
                using var client = RawClient.Connect(server.Port);
                client.Send($"{request} HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n");
                return client.ReadReply().Status;
            }));
    }

    [Fact]
    public async Task Who_waits_for_a_turn_and_whose_403_is_held_back_is_listed_so()
    {
        await using var server = await TunedListener.StartAsync();
        var slow = await server.AddTokenAsync("game", "bytesPerSecond=1", "burstBytes=1");
        using var waiting = RawClient.Connect(server.Port);
        waiting.Send(Submit.RawRequest(slow, Submit.MadeDump(1, 300_000)));
        await Eventually.TrueAsync(() => Stages(server).Contains("waiting"), "the upload over its rate waits");
        using var guesser = RawClient.Connect(server.Port);
        await Eventually.TrueAsync(
            () =>
            {
                guesser.Send("POST /post?format=minidump&token=wrong HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n");
                return Stages(server).Contains("held_back");
            },
            "a guesser is held back");
    }

    [Fact]
    public async Task Memory_that_stays_short_is_named_and_the_listener_is_not_ready_until_it_is_free_again()
    {
        await using var server = await TunedListener.StartAsync(
            ("Storage__PayloadMemoryBytes", "4194304"), ("Overload__MemoryPercent", "10"), ("Overload__DegradeAfterSeconds", "0"));
        var request = Submit.RawRequest(server.Token, Submit.MadeDump(1, 900_000));
        using var client = RawClient.Connect(server.Port);
        client.Send(request.AsSpan(0, request.Length - 1));
        await Eventually.TrueAsync(() => AdminClient.Get(server.AdminPort, "/readyz").Status == 503, "not ready");
        Assert.Equal("reading is slowed", AdminClient.Json(server.AdminPort, "/readyz").GetProperty("short").GetProperty("memory").GetString());
        Assert.Equal(1, AdminClient.Metrics(server.AdminPort)["fastlistener_pressure{source=\"memory\"}"]);
        Assert.Equal(200, AdminClient.Get(server.AdminPort, "/healthz").Status);
        client.Send(request.AsSpan(request.Length - 1));
        client.ReadReply().ReceiptOf();
        await Eventually.TrueAsync(() => AdminClient.Get(server.AdminPort, "/readyz").Status == 200, "ready again");
    }

    [Fact]
    public async Task While_it_drains_it_lives_and_is_not_ready()
    {
        await using var server = await TunedListener.StartAsync();
        var request = Submit.RawRequest(server.Token, Submit.MadeDump(1, 3_000_000));
        using var client = RawClient.Connect(server.Port);
        client.Send(request.AsSpan(0, request.Length - 1));
        await Eventually.TrueAsync(() => server.Data.StagedFiles().Length == 1, "the upload is under way");
        server.Process.Signal(15);
        await Eventually.TrueAsync(() => AdminClient.Get(server.AdminPort, "/readyz").Status == 503, "not ready");
        Assert.Equal("draining", AdminClient.Json(server.AdminPort, "/readyz").GetProperty("short").GetProperty("listener").GetString());
        Assert.Equal(200, AdminClient.Get(server.AdminPort, "/healthz").Status);
        client.Send(request.AsSpan(request.Length - 1));
        client.ReadReply().ReceiptOf();
        Assert.Equal(0, await server.Process.WaitForExitAsync());
    }

    [Fact]
    public async Task A_full_disk_is_named_and_forgotten_when_there_is_space_although_no_upload_came()
    {
        using var folder = new DataDirectory();
        await using var disk = await SmallDisk.MountAsync(folder, 96);
        using var data = new DataDirectory(Path.Combine(disk.Mount, "data"));
        var token = await data.AddTokenAsync("game");
        await using var listener = await ListenerProcess.StartAsync(data.Location);
        Submit.Dump(listener.HttpPort, token, Submit.MadeDump(1, 2000)).ReceiptOf();
        var ballast = Path.Combine(disk.Mount, "ballast");
        SmallDisk.FillUp(ballast);
        await Eventually.TrueAsync(() => Submit.Dump(listener.HttpPort, token, Submit.MadeDump(1, 200_000)).Status == 503, "the disk is full");
        await Eventually.TrueAsync(() => AdminClient.Get(listener.AdminPort, "/readyz").Status == 503, "not ready");
        Assert.Equal("full", AdminClient.Json(listener.AdminPort, "/readyz").GetProperty("short").GetProperty("disk").GetString());
        File.Delete(ballast);
        await Eventually.TrueAsync(() => AdminClient.Get(listener.AdminPort, "/readyz").Status == 200, "ready again");
        Assert.Empty(data.StagedFiles());
    }

    [Fact]
    public async Task A_port_in_use_costs_no_upload_and_is_taken_over_when_it_is_free()
    {
        await using var first = await TunedListener.StartAsync();
        await using var second = await TunedListener.StartAsync([], "--admin", $"127.0.0.1:{first.AdminPort}");
        Assert.Equal(0, second.AdminPort);
        Assert.Contains("AddressAlreadyInUse", second.Process.StandardError, StringComparison.Ordinal);
        Submit.Dump(second.Port, second.Token, Submit.MadeDump(1, 2000)).ReceiptOf();
        Assert.Equal(0, AdminClient.Metrics(first.AdminPort)["fastlistener_accepted_total"]);
        var port = first.AdminPort;
        await first.Process.StopAsync();
        await Eventually.TrueAsync(() => second.Process.StandardError.Contains($"Admin endpoint on http://127.0.0.1:{port}", StringComparison.Ordinal), "the second one has the port");
        Assert.Equal(1, AdminClient.Metrics(port)["fastlistener_accepted_total"]);
    }

    [Fact]
    public async Task It_can_be_switched_off()
    {
        await using var server = await TunedListener.StartAsync([], "--admin", "off");
        Assert.Equal(0, server.AdminPort);
        Assert.DoesNotContain("Admin endpoint", server.Process.StandardError, StringComparison.Ordinal);
        Submit.Dump(server.Port, server.Token, Submit.MadeDump(1, 2000)).ReceiptOf();
    }

    [Fact]
    public async Task Connections_that_ask_nothing_or_for_ever_block_neither_uploads_nor_for_long_others()
    {
        await using var server = await TunedListener.StartAsync();
        var silent = Enumerable.Range(0, 100).Select(_ => RawClient.Connect(server.AdminPort)).ToList();
        silent[0].Send("GET /metrics HTTP/1.1\r\nX: ");
        Submit.Dump(server.Port, server.Token, Submit.MadeDump(1, 2000)).ReceiptOf();
        await Eventually.TrueAsync(
            () =>
            {
                using var client = RawClient.Connect(server.AdminPort);
                client.Send("GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n");
                return client.TryReadReply()?.Status == 200;
            },
            "it answers again");
        silent.ForEach(client => client.Dispose());
    }

    private static List<string> Stages(TunedListener server) =>
        [.. AdminClient.Json(server.AdminPort, "/requests").EnumerateArray().Select(item => item.GetProperty("stage").GetString()!)];

    /// <summary>Text format 0.0.4: help and type once before all values of a metric, no series twice, histograms that add up.</summary>
    private static void AssertWellFormed(string text)
    {
        var described = "";
        var seen = new HashSet<string>();
        var buckets = new List<double>();
        foreach (var line in text.TrimEnd('\n').Split('\n'))
        {
            if (Regex.Match(line, @"^# HELP ([a-z_0-9]+) [^\n]+$") is { Success: true } help)
            {
                described = help.Groups[1].Value;
                Assert.True(seen.Add(described), $"{described} is described twice.");
                continue;
            }

            if (line.StartsWith('#'))
            {
                Assert.Matches($"^# TYPE {described} (counter|gauge|histogram)$", line);
                continue;
            }

            var value = Regex.Match(line, @"^([a-z_0-9]+)(\{[a-z]+=""[^""]*""(,[a-z]+=""[^""]*"")*\})? (\+Inf|-?[0-9.]+(E[+-]?[0-9]+)?)$");
            Assert.True(value.Success, line);
            Assert.StartsWith(described, value.Groups[1].Value, StringComparison.Ordinal);
            Assert.True(seen.Add(value.Groups[1].Value + value.Groups[2].Value + " "), $"Twice: {line}");
            if (value.Groups[1].Value.EndsWith("_bucket", StringComparison.Ordinal))
            {
                buckets.Add(double.Parse(value.Groups[4].Value, CultureInfo.InvariantCulture));
            }
        }

        Assert.NotEmpty(buckets);
        Assert.Equal(buckets.Order(), buckets);
    }
}
