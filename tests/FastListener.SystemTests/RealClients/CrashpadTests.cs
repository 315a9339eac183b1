using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.RealClients;

/// <summary>Crashpad's real handler, as Debian's chromium ships it, uploading a report that waits in its database.</summary>
public sealed partial class CrashpadTests(ListenerFixture server) : IClassFixture<ListenerFixture>
{
    private const string Handler = "/usr/lib/chromium/chrome_crashpad_handler";

    [Theory]
    [InlineData("/post?format=minidump&token={0}")]
    [InlineData("/acme/{0}/minidump")]
    [InlineData("/?token={0}&format=minidump", "--no-upload-gzip")]
    [InlineData("//post?format=minidump&token={0}", "--no-identify-client-via-url")]
    public async Task Crashpads_handler_uploads_a_pending_report_and_keeps_our_receipt(string target, params string[] options)
    {
        Assert.SkipUnless(File.Exists(Handler), "Crashpad's handler is not installed (Debian package chromium).");
        var report = Guid.NewGuid();
        var log = "line one\nline two\n"u8.ToArray();
        var database = new CrashpadDatabase(server.Data.Scratch($"crashpad-{report:N}"));
        database.AddPending(report, Repository.CrashpadDump, "app.log", log);

        var url = $"http://127.0.0.1:{server.HttpPort}{string.Format(CultureInfo.InvariantCulture, target, server.ErrorToken)}";
        using (RunningHandler.Start(database.Folder, url, options))
        {
            await Eventually.TrueAsync(() => database.IsCompleted(report), "the handler moves the report to completed/");
        }

        Assert.True(database.WasUploaded(report), "Crashpad gave the report up.");
        using var kept = JsonDocument.Parse(database.ServerId(report));
        var rxid = kept.RootElement.GetProperty("_rxid").GetString()!;

        Assert.Equal(Repository.Sha256(Repository.CrashpadDump), Repository.Sha256(await server.Data.ExportAsync(rxid)));
        Assert.Equal(Repository.Sha256(log), Repository.Sha256(await server.Data.ExportAsync(rxid, "app.log")));
        var stored = await server.Data.ShowAsync(rxid);
        Assert.Equal("upload_file_minidump", stored.Report.Name);
        Assert.Equal($"{report}.dmp", stored.Report.FileName);
        Assert.Contains(stored.AllAttributes, attribute => attribute is { Source: "field", Name: "guid" });
        Assert.Contains(stored.AllAttributes, attribute => attribute is { Source: "field", Name: "ptype", Value: "renderer" });
        Assert.DoesNotContain(stored.AllAttributes, attribute => attribute.Name is "token" or "format");
    }

    /// <summary>A handler of its own life, told of its first client by one end of a socket pair that it inherits.</summary>
    private sealed partial class RunningHandler : IDisposable
    {
        private const int AfUnix = 1;
        private const int SockSeqpacket = 5;

        private readonly Process _process;
        private readonly int[] _sockets;

        private RunningHandler(Process process, int[] sockets)
        {
            _process = process;
            _sockets = sockets;
        }

        public static RunningHandler Start(string database, string url, string[] options)
        {
            var sockets = new int[2];
            if (SocketPair(AfUnix, SockSeqpacket, 0, sockets) != 0)
            {
                throw new InvalidOperationException($"socketpair: {Marshal.GetLastPInvokeErrorMessage()}");
            }

            var start = new ProcessStartInfo(
                Handler,
                [$"--database={database}", $"--url={url}", "--no-rate-limit", $"--initial-client-fd={sockets[1]}", .. options])
            {
                RedirectStandardError = true,
            };
            var process = Process.Start(start)!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            return new RunningHandler(process, sockets);
        }

        public void Dispose()
        {
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
            foreach (var socket in _sockets)
            {
                _ = Close(socket);
            }
        }

        [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)]
        private static partial int SocketPair(int domain, int type, int protocol, [Out] int[] sockets);

        [LibraryImport("libc", EntryPoint = "close")]
        private static partial int Close(int descriptor);
    }
}
