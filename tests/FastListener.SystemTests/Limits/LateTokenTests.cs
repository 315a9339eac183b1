using System.Text;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Limits;

/// <summary>
/// Forms whose token is a field. Strangers, of whom none ever shows one, hold everything that may be staged without: who shows it before
/// the files, as Crashpad, Breakpad and Electron do, must not notice; who shows it after them is slowed before it is refused.
/// </summary>
public sealed class LateTokenTests
{
    private const int Shares = 16;

    [Fact]
    public async Task A_form_that_shows_its_token_before_its_files_does_not_notice_strangers_that_hold_all_there_is()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxUnauthenticatedBytes", "1048576"), ("Overload__MaxWaitSeconds", "600"));
        var strangers = await HoldAllAsync(server);
        try
        {
            var dump = Submit.MadeDump(1, 300_000);
            using var crashpad = RawClient.Connect(server.Port);
            byte[] rest = [.. Field("token", server.Token), .. File("upload_file_minidump", dump)];
            var form = Request([.. Field("guid", "1234"), .. Field("prod", new string('x', 50_000)), .. rest]);
            crashpad.SendInTwo(form, form.Length - rest.Length - 7); // what comes before the token is read alone
            Assert.Equal(Repository.Sha256(dump), Repository.Sha256(await server.Data.ExportAsync(crashpad.ReadReply().ReceiptOf())));
            Assert.Equal(200, Submit.Dump(server.Port, server.Token, dump).Status);
            Assert.Equal(Shares, Gauge(server, "staging"));
        }
        finally
        {
            strangers.ForEach(stranger => stranger.Dispose());
        }
    }

    [Fact]
    public async Task A_form_that_shows_its_token_after_its_dump_waits_for_strangers_to_end_and_all_of_it_is_kept()
    {
        await using var server = await TunedListener.StartAsync(("Overload__MaxWaitSeconds", "600"));
        var strangers = await HoldAllAsync(server);
        var dump = Submit.MadeDump(1, 200_000);
        using var late = RawClient.Connect(server.Port);
        late.Send(Request([.. File("upload_file", dump), .. Field("token", server.Token)]));
        await Eventually.TrueAsync(() => Gauge(server, "staging_waiting") == 1, "The form waits");
        Assert.False(late.HasReplyWithin(TimeSpan.Zero), "It was answered before there was room for it.");

        strangers.ForEach(stranger => stranger.Dispose());
        Assert.Equal(Repository.Sha256(dump), Repository.Sha256(await server.Data.ExportAsync(late.ReadReply().ReceiptOf())));
        await Eventually.TrueAsync(() => Gauge(server, "staging") == 0 && Gauge(server, "unauthenticated_bytes") == 0, "What strangers held is given back");
    }

    [Fact]
    public async Task A_form_that_shows_its_token_after_its_dump_is_refused_when_strangers_hold_all_there_is_for_longer_than_anybody_is_made_to_wait()
    {
        await using var server = await TunedListener.StartAsync(("Overload__MaxWaitSeconds", "2"), ("Overload__DegradeAfterSeconds", "0"));
        var strangers = await HoldAllAsync(server);
        using var late = RawClient.Connect(server.Port);
        late.Send(Request([.. File("upload_file", Submit.MadeDump(1, 200_000)), .. Field("token", server.Token)]));
        await Eventually.TrueAsync(() => Gauge(server, "staging_waiting") == 1, "The form waits");
        LimitTests.AssertRefused(late.ReadReply(), 503, "too_many_without_token");
        Assert.Equal(Shares, Gauge(server, "staging"));
        strangers.ForEach(stranger => stranger.Dispose());
    }

    [Fact]
    public async Task Strangers_that_never_show_a_token_are_ended_for_who_waits()
    {
        await using var server = await TunedListener.StartAsync(("Deadlines__TokenSeconds", "1"), ("Overload__MaxWaitSeconds", "600"));
        var strangers = await HoldAllAsync(server);
        using var late = RawClient.Connect(server.Port);
        late.Send(Request([.. File("upload_file", Submit.MadeDump(1, 200_000)), .. Field("token", server.Token)]));
        Assert.Equal(200, late.ReadReply().Status);

        await Eventually.TrueAsync(() => strangers.Exists(stranger => stranger.HasReplyWithin(TimeSpan.Zero)), "A stranger is told why");
        LimitTests.AssertRefused(strangers.Find(stranger => stranger.HasReplyWithin(TimeSpan.Zero))!.ReadReply(), 408, "token_timeout");
        strangers.ForEach(stranger => stranger.Dispose());
    }

    [Fact]
    public async Task A_form_may_bring_a_sixteenth_of_all_that_may_be_staged_before_its_token_and_no_more()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxUnauthenticatedBytes", "1600000"));
        var most = 65_536 + 100_000 - "upload_filea.dmptoken".Length - server.Token.Length;
        Assert.Equal(200, Send(server, [.. File("upload_file", Submit.MadeDump(1, most)), .. Field("token", server.Token)]).Status);
        LimitTests.AssertRefused(
            Send(server, [.. File("upload_file", Submit.MadeDump(1, most + 1)), .. Field("token", server.Token)]), 403, "token_too_late");
        Assert.Single(await server.Data.ListAsync());
        Assert.Empty(server.Data.StagedFiles());
    }

    [Fact]
    public async Task Where_nothing_may_be_staged_a_token_must_stand_in_the_address()
    {
        await using var server = await TunedListener.StartAsync(("Limits__MaxUnauthenticatedBytes", "0"));
        LimitTests.AssertRefused(Send(server, [.. Field("token", server.Token), .. File("upload_file", Submit.MadeDump(1, 100))]), 403, "token_too_late");
        Assert.Equal(200, Send(server, File("upload_file", Submit.MadeDump(1, 100)), $"/post?token={server.Token}").Status);
    }

    /// <summary>Strangers that have sent more than each may without a share, and say nothing further.</summary>
    private static async Task<List<RawClient>> HoldAllAsync(TunedListener server)
    {
        var strangers = Enumerable.Range(0, Shares).Select(_ => RawClient.Connect(server.Port)).ToList();
        var begun = Request(File("attachment_x", new byte[100_000]), claimed: 8_000_000_000)[..^20];
        Assert.All(strangers, stranger => Assert.True(stranger.Send(begun)));
        await Eventually.TrueAsync(() => Gauge(server, "staging") == Shares, "Strangers hold all there is");
        return strangers;
    }

    private static RawReply Send(TunedListener server, byte[] parts, string target = "/")
    {
        using var client = RawClient.Connect(server.Port);
        client.Send(Request(parts, target));
        return client.ReadReply();
    }

    private static double Gauge(TunedListener server, string name) => AdminClient.Metrics(server.AdminPort)["fastlistener_" + name];

    private static byte[] Request(byte[] parts, string target = "/", long? claimed = null) =>
    [
        .. Encoding.ASCII.GetBytes(
            $"POST {target} HTTP/1.1\r\nHost: test\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: {claimed ?? parts.Length + 7}\r\n\r\n"),
        .. parts,
        .. "--b--\r\n"u8,
    ];

    private static byte[] Field(string name, string value) =>
        Encoding.ASCII.GetBytes($"--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");

    private static byte[] File(string name, byte[] bytes) =>
        [.. Encoding.ASCII.GetBytes($"--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.dmp\"\r\n\r\n"), .. bytes, .. "\r\n"u8];
}
