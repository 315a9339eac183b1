using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.RealClients;

/// <summary>Python's own urllib, and requests (which the Python SDK uses) where it is installed.</summary>
public sealed class PythonTests(ListenerFixture server) : IClassFixture<ListenerFixture>
{
    [Fact]
    public async Task Python_submits_a_dump()
    {
        Assert.SkipWhen(Command.Find("python3") is null, "python3 is not installed.");
        var url = $"http://127.0.0.1:{server.HttpPort}/post?format=minidump&token={server.ErrorToken}";
        var run = (await Command.RunAsync("python3", [Path.Combine(Repository.Clients, "python-urllib.py"), url, Repository.BreakpadDumpPath])).Expect();
        foreach (var line in run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var rxid = new RawReply(200, "", []) { Body = line }.Rxid;
            Assert.Equal(Repository.Sha256(Repository.BreakpadDump), Repository.Sha256(await server.Data.ExportAsync(rxid)));
        }
    }
}
