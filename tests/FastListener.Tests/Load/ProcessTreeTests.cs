using System.Diagnostics;
using FastListener.Load.Measuring;
using Xunit;

namespace FastListener.Tests.Load;

public class ProcessTreeTests
{
    [Fact]
    public async Task A_server_that_has_ended_keeps_the_time_it_used()
    {
        // The wait for a line never ends by itself: the process lives until it is killed.
        using var server = Process.Start(new ProcessStartInfo("bash", ["-c", "for ((i = 0; i < 300000; i++)); do :; done; echo done; read"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("done", await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        var tree = new ProcessTree(server.Id);
        var used = tree.CpuSeconds();
        Assert.True(used > 0);

        server.Kill();
        await server.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(used, tree.CpuSeconds());
    }
}
