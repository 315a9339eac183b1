using FastListener.Load.Engines;
using FastListener.Load.Measuring;
using FastListener.Load.Scenarios;
using FastListener.Load.Sockets;
using Xunit;

namespace FastListener.Tests.Load;

public class SocketEngineTests
{
    [Fact]
    public async Task Every_request_is_accounted_for_and_an_expected_refusal_is_no_acknowledgement()
    {
        // Good tokens get 200, the bad ones that the scenario mixes in 403.
        var result = await RunAsync("bad-tokens", head => head.Contains("token=good", StringComparison.Ordinal)
            ? "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"response\":\"ok\"}"
            : "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");

        Assert.Equal(0, result.Failed);
        Assert.Equal(result.Offered, result.Answered + result.AnsweredLate);
        Assert.All(result.Populations, p => Assert.True(p.Recorder.Offered > 0));
        Assert.Equal(result.Populations[0].Recorder.Offered, result.Populations[0].Recorder.Acknowledged.Length);
        Assert.Equal(0, result.Populations[1].Recorder.Acknowledged.Length);
    }

    [Fact]
    public async Task An_answer_that_is_not_the_one_hoped_for_fails()
    {
        var result = await RunAsync("bad-tokens", _ => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");

        Assert.Equal(0, result.Answered + result.AnsweredLate);
        Assert.Equal(result.Offered, result.Failed);
        Assert.Contains(Thresholds.None.Judge(result), v => !v.Held);
    }

    private static async Task<ScenarioResult> RunAsync(string name, Func<string, string> answer)
    {
        await using var server = new AnsweringServer(answer);
        var scenario = ScenarioCatalog.Build(
            name,
            new ScenarioOptions
            {
                Target = LoopbackTarget.Parse(server.Url),
                Token = "good",
                Duration = TimeSpan.FromSeconds(0.5),
                Rate = 100,
            },
            1);
        return await Task.Run(() => new SocketEngine().Run(scenario, null, null, CancellationToken.None));
    }
}
