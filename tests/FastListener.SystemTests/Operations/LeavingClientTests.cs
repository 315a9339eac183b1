using FastListener.SystemTests.Abuse;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>Clients that are cut off: nothing of theirs stays, no descriptor, no file, no work.</summary>
public sealed class LeavingClientTests(ListenerFixture server) : IClassFixture<ListenerFixture>
{
    private const int Clients = 40;

    [Theory]
    [InlineData("reset, by length", true, false)]
    [InlineData("closed, by length", false, false)]
    [InlineData("reset, chunked", true, true)]
    [InlineData("closed, chunked", false, true)]
    public async Task A_client_that_leaves_mid_body_leaves_nothing_behind(string name, bool reset, bool chunked)
    {
        var sockets = ProcessFigures.Sockets(server.Listener.Pid);
        var objects = (await server.Data.ListAsync()).Count;
        var clients = Enumerable.Range(0, Clients).Select(_ => RawClient.Connect(server.HttpPort)).ToList();
        var body = Submit.MadeDump(3, 2 * 1024 * 1024);
        foreach (var client in clients)
        {
            var framing = chunked ? "Transfer-Encoding: chunked" : "Content-Length: 9000000";
            client.Send($"POST /post?format=minidump&token={server.ErrorToken} HTTP/1.1\r\nHost: test\r\n{framing}\r\n\r\n");
            client.Send(chunked ? "800000\r\n" : "");
            client.Send(body);
        }

        await Eventually.TrueAsync(() => server.Data.StagedFiles().Length == Clients, $"{name}: every upload is on its way to disk");
        foreach (var client in clients)
        {
            if (reset)
            {
                client.Reset();
            }

            client.Dispose();
        }

        await Eventually.TrueAsync(() => server.Data.StagedFiles().Length == 0, $"{name}: staging is empty again");
        await Eventually.TrueAsync(() => ProcessFigures.Sockets(server.Listener.Pid) <= sockets, $"{name}: the sockets are closed");
        await Eventually.TrueAsync(() => ProcessFigures.FilesBelow(server.Listener.Pid, Path.Combine(server.Data.Location, "staging")) <= 1, $"{name}: the files are closed, but for the lock");
        await Footprint.AssertRestsAsync(server.Listener.Pid);
        Assert.Equal(objects, (await server.Data.ListAsync()).Count);
        (await server.Data.AuditAsync()).Expect();
    }

    [Fact]
    public async Task A_client_that_leaves_within_the_head_or_a_form_leaves_nothing_behind()
    {
        var sockets = ProcessFigures.Sockets(server.Listener.Pid);
        var objects = (await server.Data.ListAsync()).Count;
        var request = Submit.FormRequest(server.ErrorToken, Submit.MadeDump(4, 60_000), "a.log", new byte[5000]);
        foreach (var cut in Enumerable.Range(1, 60).Select(step => step * (request.Length - 1) / 60))
        {
            using var client = RawClient.Connect(server.HttpPort);
            client.Send(request.AsSpan(0, cut));
            if (cut % 2 == 0)
            {
                client.Reset();
            }
        }

        await Eventually.TrueAsync(() => ProcessFigures.Sockets(server.Listener.Pid) <= sockets, "the sockets are closed");
        await Eventually.TrueAsync(() => server.Data.StagedFiles().Length == 0, "staging is empty");
        await Footprint.AssertRestsAsync(server.Listener.Pid);
        Assert.Equal(objects, (await server.Data.ListAsync()).Count);
        (await server.Data.AuditAsync()).Expect();
    }

    [Fact]
    public async Task A_client_that_leaves_instead_of_reading_its_reply_does_no_harm()
    {
        for (var round = 0; round < 50; round++)
        {
            using var client = RawClient.Connect(server.HttpPort);
            client.Send(Submit.RawRequest(server.ErrorToken, Repository.BreakpadDump));
            client.Reset();
        }

        await Footprint.AssertRestsAsync(server.Listener.Pid);
        Assert.Equal(200, Submit.Dump(server.HttpPort, server.ErrorToken, Repository.BreakpadDump).Status);
        await server.Data.AssertSoundAsync();
    }
}
