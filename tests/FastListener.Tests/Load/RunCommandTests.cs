using System.Diagnostics;
using Xunit;

namespace FastListener.Tests.Load;

public class RunCommandTests
{
    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_run_that_is_interrupted_reports_what_it_measured_and_ends_with_130(string signal)
    {
        var reports = Directory.CreateTempSubdirectory("fastlistener-load");
        await using var server = new AnsweringServer(_ => "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"response\":\"ok\"}");
        try
        {
            using var run = Process.Start(new ProcessStartInfo(
                "dotnet",
                [
                    Path.Combine(AppContext.BaseDirectory, "fastlistener-load.dll"), "run", "small-raw", "crashpad", "--url", server.Url, "--token", "good",
                    "--seconds", "100", "--rate", "50", "--connections", "2", "--reports", reports.FullName,
                ])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var said = new List<string>();
            while (await run.StandardError.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
            {
                said.Add(line);
                if (said.Count == 2)
                {
                    break; // its name, then its first progress: requests are under way
                }
            }

            using var kill = Process.Start("kill", ["-s", signal, FormattableString.Invariant($"{run.Id}")]);
            var rest = run.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            var output = await run.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await run.WaitForExitAsync(TestContext.Current.CancellationToken);

            Assert.True(run.ExitCode == 130, $"{run.ExitCode}: {output}{await rest}");
            Assert.Contains("small-raw", output, StringComparison.Ordinal);
            Assert.DoesNotContain("crashpad", output, StringComparison.Ordinal);
            Assert.Contains(reports.GetFiles(), file => file.Extension == ".html");
            Assert.Contains(reports.GetFiles(), file => file.Extension == ".md");
        }
        finally
        {
            reports.Delete(recursive: true);
        }
    }
}
