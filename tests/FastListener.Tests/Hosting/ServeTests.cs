using FastListener.Cli;
using FastListener.Hosting;
using Xunit;

namespace FastListener.Tests.Hosting;

public sealed class ServeTests : IDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("fastlistener-serve-");

    public void Dispose() => _data.Delete(recursive: true);

    [Fact]
    public async Task A_stop_that_comes_while_it_starts_is_no_failure()
    {
        // The other transport, because ours sets a switch of the whole process.
        await File.WriteAllTextAsync(
            Path.Combine(_data.FullName, "appsettings.json"), """{ "Listen": { "Transport": "kestrel" } }""", TestContext.Current.CancellationToken);
        using var stopped = new CancellationTokenSource();
        await stopped.CancelAsync();
        Assert.Equal(0, await Serve.RunAsync(new ServeArguments(_data.FullName, "127.0.0.1:0", "off", "off"), stopped.Token));
    }
}
