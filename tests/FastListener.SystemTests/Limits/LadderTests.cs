using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Limits;

/// <summary>
/// Bytes given up in place of the crash, rung by rung, only where the operator has named the rung. The pressure is certain: a token that
/// may send one byte a second, or payload memory that one stalled upload holds alone.
/// </summary>
public sealed class LadderTests
{
    private const string Starved = "bytesPerSecond=1";

    private static readonly (string, string)[] Hasty =
        [("Overload__MaxWaitSeconds", "4"), ("Overload__DegradeAfterSeconds", "1")];

    [Fact]
    public async Task The_first_rung_keeps_the_report_and_of_attachments_what_they_were()
    {
        await using var server = await TunedListener.StartAsync(Hasty);
        var token = await server.AddTokenAsync("game", Starved, "burstBytes=1", "degrade=without_attachments");
        var dump = Submit.MadeDump(1, 5000);
        var attachment = Submit.MadeDump(2, 400_000);
        var whole = await SendFormAsync(server, server.Token, dump, attachment, degraded: null);
        var rxid = await SendFormAsync(server, token, dump, attachment, "without_attachments");
        var checksum = whole.Attachments.Single().Checksum;

        await AssertAsync();
        await server.KillAndStartAsync();
        await AssertAsync();

        async Task AssertAsync()
        {
            var stored = await server.Data.ShowAsync(rxid.Rxid);
            Assert.Equal("without_attachments:token_rate", stored.Degraded);
            Assert.Null(stored.Report.Omitted);
            Assert.Equal(Repository.Sha256(dump), Repository.Sha256(await server.Data.ExportAsync(rxid.Rxid)));
            var omitted = stored.Attachments.Single();
            Assert.Equal(("a.bin", 400_000L, checksum, "token_rate"), (omitted.Name, omitted.Size, omitted.Checksum, omitted.Omitted));
            Assert.Equal("7", stored.Attributes["level"]);
            await server.Data.AssertSoundAsync();
        }
    }

    [Fact]
    public async Task The_last_rung_keeps_what_the_crash_was_and_none_of_its_bytes()
    {
        await using var server = await TunedListener.StartAsync(Hasty);
        var token = await server.AddTokenAsync("game", Starved, "burstBytes=1", "degrade=metadata_only");
        var dump = Submit.MadeDump(3, 3_000_000); // large enough that a file of it has begun
        var whole = await server.Data.ShowAsync(Submit.Dump(server.Port, server.Token, dump).ReceiptOf());
        var reply = Submit.Dump(server.Port, token, dump, "&version=1.2");
        Assert.Equal("metadata_only", reply.Header("FastListener-Degraded"));

        await AssertAsync();
        Assert.Empty(server.Data.StagedFiles());
        await server.KillAndStartAsync();
        await AssertAsync();

        async Task AssertAsync()
        {
            var stored = await server.Data.ShowAsync(reply.ReceiptOf());
            Assert.Equal("metadata_only:token_rate", stored.Degraded);
            Assert.Equal((3_000_000L, whole.Report.Checksum, "token_rate"), (stored.Report.Size, stored.Report.Checksum, stored.Report.Omitted));
            Assert.Equal("1.2", stored.Attributes["version"]);
            Assert.Equal("minidump", stored.Format);
            await server.Data.AssertSoundAsync();
        }
    }

    [Fact]
    public async Task Rungs_are_taken_one_after_the_other_and_no_further_than_needed()
    {
        await using var server = await TunedListener.StartAsync(Hasty);
        var token = await server.AddTokenAsync("game", Starved, "burstBytes=1", "degrade=without_attachments,metadata_only");

        // The attachment is what does not fit: giving it up is enough.
        var first = await SendFormAsync(server, token, Submit.MadeDump(1, 5000), Submit.MadeDump(2, 400_000), "without_attachments");
        Assert.Null(first.Report.Omitted);

        // The report itself does not fit: that takes the second rung.
        var second = await SendFormAsync(server, token, Submit.MadeDump(1, 400_000), "small"u8.ToArray(), "metadata_only");
        Assert.Equal("token_rate", second.Report.Omitted);
        Assert.Equal("token_rate", second.Attachments.Single().Omitted);
    }

    [Fact]
    public async Task A_late_attachment_is_given_up_and_its_object_stays_as_it_was()
    {
        await using var server = await TunedListener.StartAsync(Hasty);
        var token = await server.AddTokenAsync("game", Starved, "burstBytes=1", "degrade=without_attachments");
        var rxid = Submit.Dump(server.Port, server.Token, Repository.BreakpadDump).ReceiptOf();
        using var client = RawClient.Connect(server.Port);
        client.Send(Submit.AttachmentRequest(token, rxid, "late.bin", new byte[300_000]));
        Assert.Equal((200, "without_attachments"), (client.ReadReply() is var reply ? reply.Status : 0, reply.Header("FastListener-Degraded")));
        var stored = await server.Data.ShowAsync(rxid);
        Assert.Equal((300_000L, "token_rate"), (stored.Attachments.Single().Size, stored.Attachments.Single().Omitted));
        Assert.Equal(Repository.Sha256(Repository.BreakpadDump), Repository.Sha256(await server.Data.ExportAsync(rxid)));
        await server.Data.AssertSoundAsync();
    }

    [Fact]
    public async Task An_attachment_over_its_limit_is_given_up_where_the_rung_is_named_and_the_dump_is_kept()
    {
        await using var server = await TunedListener.StartAsync();
        var token = await server.AddTokenAsync("game", "maxAttachmentBytes=1000", "degrade=without_attachments");
        var dump = Submit.MadeDump(1, 300_000);
        var small = await SendFormAsync(server, token, dump, new byte[1000], degraded: null);
        Assert.Null(small.Attachments.Single().Omitted);
        var large = await SendFormAsync(server, token, dump, new byte[2_000_000], "without_attachments");
        Assert.Equal("without_attachments:attachment_too_large", large.Degraded);
        Assert.Equal((2_000_000L, "attachment_too_large"), (large.Attachments.Single().Size, large.Attachments.Single().Omitted));
        Assert.Equal(Repository.Sha256(dump), Repository.Sha256(await server.Data.ExportAsync(large.Rxid)));
        Assert.Empty(server.Data.StagedFiles());
        await server.KillAndStartAsync();
        await server.Data.AssertSoundAsync();
    }

    [Fact]
    public async Task A_dump_under_another_name_is_no_attachment_to_be_given_up()
    {
        await using var server = await TunedListener.StartAsync();
        var token = await server.AddTokenAsync("game", "maxAttachmentBytes=1000", "degrade=without_attachments");
        var dump = Submit.MadeDump(1, 300_000);
        var form = Submit.FormRequest(token, dump, "a.txt", "small"u8);
        "uplode_file"u8.CopyTo(form.AsSpan(form.AsSpan().IndexOf("upload_file"u8)));
        using var client = RawClient.Connect(server.Port);
        client.Send(form);
        var stored = await server.Data.ShowAsync(client.ReadReply().ReceiptOf());
        Assert.Null(stored.Degraded);
        Assert.Equal(300_000, stored.Report.Size);
    }

    [Theory]
    [InlineData("degrade=without_attachments", "without_attachments:memory")]
    [InlineData("degrade=none", null)]
    [InlineData("degrade=", "without_attachments:memory")]
    public async Task Memory_that_stays_spent_takes_the_rung_that_the_token_or_the_setting_names(string limit, string? degraded)
    {
        // One upload of 4 MiB that never ends holds all the memory there is for payloads; the others go on, in files of their own.
        await using var server = await TunedListener.StartAsync(
            [.. Hasty, ("Overload__Degrade", "without_attachments"), ("Storage__PayloadMemoryBytes", "4194304"), ("Storage__InlineLimitBytes", "16777216")]);
        var token = await server.AddTokenAsync("game", limit);
        using var holder = RawClient.Connect(server.Port);
        holder.Send($"POST /post?format=minidump&token={server.Token} HTTP/1.1\r\nHost: test\r\nContent-Length: 100000000\r\n\r\n");
        holder.Send(Submit.MadeDump(1, 4 * 1024 * 1024));
        await Eventually.TrueAsync(() => server.Process.StandardError.Contains("Pressure: memory, Slow", StringComparison.Ordinal), "Memory is short");
        await Eventually.TrueAsync(
            async () =>
            {
                using var client = RawClient.Connect(server.Port);
                client.Send(Submit.FormRequest(token, Submit.MadeDump(2, 5000), "a.bin", new byte[5000]));
                var stored = await server.Data.ShowAsync(client.ReadReply().ReceiptOf());
                Assert.Null(stored.Report.Omitted);
                return stored.Degraded == degraded;
            },
            "The rung is taken when it lasts");
        if (degraded is null)
        {
            await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken); // well past what counts as lasting
            using var client = RawClient.Connect(server.Port);
            client.Send(Submit.FormRequest(token, Submit.MadeDump(2, 5000), "a.bin", new byte[5000]));
            Assert.Null((await server.Data.ShowAsync(client.ReadReply().ReceiptOf())).Degraded);
        }

        holder.Reset();
        await Eventually.TrueAsync(() => server.Process.StandardError.Contains("Pressure is over", StringComparison.Ordinal), "Memory came back");
        await server.Data.AssertSoundAsync();
    }

    [Fact]
    public async Task A_disk_that_runs_short_slows_and_then_takes_the_rung_that_is_named_and_both_are_told_of()
    {
        using var folder = new DataDirectory();
        await using var disk = await SmallDisk.MountAsync(folder, 64);
        using var data = new DataDirectory(Path.Combine(disk.Mount, "data"));
        var token = await data.AddTokenAsync("game");
        await using var listener = await ListenerProcess.StartProgramAsync(Repository.Program, data.Location, new()
        {
            ["FASTLISTENER_Overload__DiskFreePercent"] = "50",
            ["FASTLISTENER_Overload__PressedTurns"] = "1",
            ["FASTLISTENER_Storage__InlineLimitBytes"] = "65536", // a turn is held while a file is written
            ["FASTLISTENER_Overload__DegradeAfterSeconds"] = "1",
            ["FASTLISTENER_Overload__Degrade"] = "without_attachments,metadata_only",
        });
        var ballast = Path.Combine(disk.Mount, "ballast");
        for (var round = 1; round <= 2; round++)
        {
            Assert.Null((await SendAsync()).Degraded);
            Assert.Equal(0, WaitsOf(8));

            await File.WriteAllBytesAsync(ballast, new byte[36 * 1024 * 1024], TestContext.Current.CancellationToken);
            await Eventually.TrueAsync(() => Figures()["fastlistener_pressure{source=\"disk\"}"] == 1, "The disk is short");
            await Eventually.TrueAsync(() => WaitsOf(8) > 0, "Uploads wait for each other");
            await Eventually.TrueAsync(async () => (await SendAsync()).Degraded is not null, "The rung is taken when it lasts");
            var before = DegradedByDisk();
            var stored = await SendAsync();
            Assert.Equal("without_attachments:disk", stored.Degraded); // and no more than that: half a disk is left
            Assert.Null(stored.Report.Omitted);
            Assert.Equal(Repository.Sha256(Submit.MadeDump(round, 5000)), Repository.Sha256(await data.ExportAsync(stored.Rxid)));
            Assert.Equal((400_000L, "disk"), (stored.Attachments.Single().Size, stored.Attachments.Single().Omitted));
            Assert.Equal(before + 1, DegradedByDisk());
            Assert.Equal(200, AdminClient.Get(listener.AdminPort, "/readyz").Status); // nothing of it is a reason to send uploads elsewhere
            Assert.Equal(before + 1, (await data.BooksAsync()).Requests("degraded"));

            File.Delete(ballast);
            await Eventually.TrueAsync(() => Figures()["fastlistener_pressure{source=\"disk\"}"] == 0, "There is room again");

            async Task<StoredObject> SendAsync()
            {
                using var client = RawClient.Connect(listener.HttpPort);
                client.Send(Submit.FormRequest(token, Submit.MadeDump(round, 5000), "a.bin", new byte[400_000]));
                var reply = client.ReadReply();
                var found = await data.ShowAsync(reply.ReceiptOf());
                Assert.Equal(found.Degraded?.Split(':')[0], reply.Header("FastListener-Degraded"));
                return found;
            }
        }

        Assert.Contains("Pressure: disk, Slow", listener.StandardError, StringComparison.Ordinal);
        await data.AssertSoundAsync();

        Dictionary<string, double> Figures() => AdminClient.Metrics(listener.AdminPort);

        double DegradedByDisk() => Figures()["fastlistener_degraded_total{rung=\"without_attachments\",reason=\"disk\"}"];

        // How often uploads wait for their turn when so many come at once, of which nothing is stored: their last byte is missing.
        double WaitsOf(int clients)
        {
            var before = Figures()["fastlistener_reading_waits_total"];
            Parallel.For(0, clients, new ParallelOptions { MaxDegreeOfParallelism = clients }, _ =>
            {
                using var client = RawClient.Connect(listener.HttpPort);
                client.Send(Submit.RawRequest(token, Submit.MadeDump(1, 1_500_000)).AsSpan()[..^1]);
                client.FinishSending();
                Assert.Equal(400, client.ReadReply().Status);
            });
            return Figures()["fastlistener_reading_waits_total"] - before;
        }
    }

    private static async Task<StoredObject> SendFormAsync(TunedListener server, string token, byte[] dump, byte[] attachment, string? degraded)
    {
        using var client = RawClient.Connect(server.Port);
        client.Send(Submit.FormRequest(token, dump, "a.bin", attachment, "&level=7"));
        var reply = client.ReadReply();
        reply.AssertReadableByEveryClient();
        var rxid = reply.ReceiptOf();
        Assert.Equal(degraded, reply.Header("FastListener-Degraded"));
        return await server.Data.ShowAsync(rxid);
    }
}
