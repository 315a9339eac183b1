using System.Globalization;
using System.Text;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Operations;

/// <summary>
/// Eight uploads at once, each far larger than any buffer: memory does not grow with them. FASTLISTENER_MEMORY_MIB sets the size of
/// one upload; the promise is about 1024 (tests/memory.sh), every day 64 must do.
/// </summary>
public sealed class MemoryTests
{
    private const int Uploads = 8;
    private const long Limit = 128L * 1024 * 1024;

    private static readonly int s_mebibytes = int.Parse(
        Environment.GetEnvironmentVariable("FASTLISTENER_MEMORY_MIB") ?? "64", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("raw")]
    [InlineData("form")]
    public async Task Eight_large_uploads_at_once_keep_anonymous_memory_under_128_MiB(string kind)
    {
        using var data = new DataDirectory();
        var token = await data.AddTokenAsync("game");
        await using var listener = await ListenerProcess.StartAsync(data.Location);
        var uploads = Task.WhenAll(Enumerable.Range(0, Uploads).Select(index => Task.Factory.StartNew(
            () => Upload(listener.HttpPort, token, index, kind == "form"), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        var highest = 0L;
        while (await Task.WhenAny(uploads, Task.Delay(25)) != uploads)
        {
            highest = Math.Max(highest, ProcessFigures.AnonymousMemory(listener.Pid));
        }

        var replies = await uploads;
        TestContext.Current.TestOutputHelper?.WriteLine($"{Uploads} uploads of {s_mebibytes} MiB, {kind}: RssAnon at most {highest / 1024 / 1024} MiB");
        Assert.All(replies, reply => Assert.Equal(200, reply.Status));
        Assert.InRange(highest, 1, Limit);

        var stored = await data.ListAsync();
        Assert.Equal(Uploads, stored.Count);
        Assert.All(stored, item => Assert.Equal(4 + (s_mebibytes * 1024L * 1024), item.Report.Size));
        Assert.Empty(data.StagedFiles());
        await data.AssertSoundAsync();
    }

    [Fact]
    public async Task Garbage_is_collected_every_16_MiB_however_large_the_processors_cache_is()
    {
        const double Mebibyte = 1024 * 1024;
        using var data = new DataDirectory();
        await using var listener = await ListenerProcess.StartAsync(data.Location);
        double allocated;
        Dictionary<string, double> figures;
        do
        {
            for (var i = 0; i < 500; i++)
            {
                using var client = RawClient.Connect(listener.HttpPort);
                client.Send("GET /nothing HTTP/1.1\r\nHost: test\r\n\r\n");
                Assert.Equal(404, client.ReadReply().Status);
            }

            figures = AdminClient.Metrics(listener.AdminPort);
            allocated = figures["dotnet_gc_allocated_bytes_total"];
        }
        while (allocated < 50 * Mebibyte);

        var collections = figures["dotnet_gc_collections_total{generation=\"0\"}"];
        Assert.True(collections >= 2, $"{collections} collections after {allocated / Mebibyte:0} MiB.");
    }

    private static RawReply Upload(int port, string token, int index, bool form)
    {
        const string Start = "--bBb\r\nContent-Disposition: form-data; name=\"upload_file_minidump\"; filename=\"x.dmp\"\r\n\r\n";
        const string End = "\r\n--bBb--\r\n";
        var block = new byte[1024 * 1024];
        new Random(index).NextBytes(block);
        var length = 4 + ((long)s_mebibytes * block.Length) + (form ? Start.Length + End.Length : 0);
        using var client = RawClient.Connect(port);
        client.Send(Encoding.ASCII.GetBytes(
            $"POST /post?format=minidump&token={token} HTTP/1.1\r\nHost: test\r\n{(form ? "Content-Type: multipart/form-data; boundary=bBb\r\n" : "")}Content-Length: {length}\r\n\r\n{(form ? Start : "")}MDMP"));
        for (var sent = 0; sent < s_mebibytes; sent++)
        {
            client.Send(block);
        }

        client.Send(form ? End : "");
        return client.ReadReply();
    }
}
