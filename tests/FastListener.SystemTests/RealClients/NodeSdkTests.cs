using System.Text;
using System.Text.Json;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.RealClients;

/// <summary>The vendor's SDK for Node.js, @backtrace/node, from npm. FASTLISTENER_NODE_MODULES names the folder that holds it.</summary>
public sealed class NodeSdkTests(ListenerFixture server) : IClassFixture<ListenerFixture>
{
    private static string Modules =>
        Environment.GetEnvironmentVariable("FASTLISTENER_NODE_MODULES") ?? "/tmp/fastlistener-clients/node_modules";

    [Theory]
    [InlineData("/post?format=json&token=")]
    [InlineData("/api/post?format=json&token=")]
    public async Task The_node_sdk_sends_a_report_with_a_file_and_attaches_another_later(string path)
    {
        Assert.SkipWhen(Command.Find("node") is null, "node is not installed.");
        Assert.SkipUnless(Directory.Exists(Path.Combine(Modules, "@backtrace", "node")), $"@backtrace/node is not installed below {Modules}.");
        var early = Write("app.log", 300_000);
        var late = Write("late.log", 70_000);
        var url = $"http://127.0.0.1:{server.HttpPort}{path}{server.ErrorToken}";

        var run = await Command.RunAsync(
            "env", [$"NODE_PATH={Modules}", "node", Path.Combine(Repository.Clients, "backtrace-node.cjs"), url, early, late]);

        using var results = JsonDocument.Parse(run.Expect().Output);
        var report = results.RootElement.GetProperty("report");
        Assert.Equal("Ok", report.GetProperty("status").GetString());
        Assert.Equal("Ok", results.RootElement.GetProperty("attached").GetProperty("status").GetString());
        var rxid = report.GetProperty("_result").GetProperty("_rxid").GetString()!;

        var stored = await server.Data.ShowAsync(rxid);
        Assert.Equal("json", stored.Format);
        Assert.Equal("upload_file", stored.Report.Name);
        Assert.Equal("systest", stored.Attributes["application"]);
        Assert.Equal("1.2.3", stored.Attributes["application.version"]);
        Assert.Equal("by node", stored.Attributes["sent"]);
        Assert.Equal("a crash on purpose", stored.Attributes["error.message"]);
        Assert.Equal(["app.log", "late.log"], stored.Attachments.Select(payload => payload.Name).Order());
        using var json = JsonDocument.Parse(Encoding.UTF8.GetString(await server.Data.ExportAsync(rxid)));
        Assert.Equal("@backtrace/node", json.RootElement.GetProperty("agent").GetString());
        Assert.Equal(Repository.Sha256OfFile(early), Repository.Sha256(await server.Data.ExportAsync(rxid, "app.log")));
        Assert.Equal(Repository.Sha256OfFile(late), Repository.Sha256(await server.Data.ExportAsync(rxid, "late.log")));
    }

    private string Write(string name, int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        var path = server.Data.Scratch(name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
