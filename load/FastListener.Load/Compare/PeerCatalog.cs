using System.Diagnostics;
using System.Globalization;

namespace FastListener.Load.Compare;

/// <summary>All peers with their settings. Sources and configuration files lie in load/peers.</summary>
internal static class PeerCatalog
{
    public const string Token = "10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad10ad";

    /// <summary>Behind the key of a tuned ASP.NET Core peer: the same with the runtime settings that the Web SDK gives. Run only when it is named.</summary>
    public const string SdkRuntime = "-sdk";

    private const string SyncedFilePromise = "report in a file of its own; file and directory synced before the 200";
    private const string OurRuntimeWords = "FastListener's runtime settings";
    private const string SdkRuntimeWords = "the Web SDK's runtime settings";

    private static readonly Peer[] s_peers =
    [
        Listener("fastlistener", "FastListener", []),
        Listener("fastlistener-kestrel", "FastListener, Kestrel's transport", [("Listen__Transport", "kestrel")]),
        Listener("fastlistener-buffered", "FastListener, packs through the page cache", [("Storage__DirectPacks", "false")]),
        Listener("fastlistener-direct", "FastListener, large files past the page cache", [("Storage__DirectFiles", "true")]),
        Listener("fastlistener-parse", "FastListener, all but the disk", []) with
        {
            // A form announced as JSON that holds a minidump: received, parsed and held to its last byte, then refused on a kept connection.
            Target = "/post?format=json&token={token}&seq={seq}",
            Expected = [400],
            AnswersOk = false,
            Stored = StoredAs.Nothing,
            Promise = "nothing: token, attributes and checksum as always, the report held in payload buffers, then refused (announced as JSON, it is none)",
        },
        new Peer
        {
            Key = "fastlistener-parsers",
            Title = "FastListener's transport and parsers alone",
            Settings = OurRuntimeWords,
            Promise = "nothing: every part is read and forgotten",
            Stored = StoredAs.Nothing,
            Start = place => new ProcessStartInfo("dotnet", [Path.Combine(place.BuildDirectory, "parse", "peer-parse.dll"), "--url", place.Url]),
        },
        .. AspNetTuned("aspnet-tuned", "ASP.NET Core, MultipartReader, tuned", "64 minimum threads, 64 KiB and 1 MiB pooled buffers", SyncedFilePromise, "--mode", "reader"),
        AspNet("aspnet-documented", "ASP.NET Core, MultipartReader, as documented", SdkRuntimeWords, SyncedFilePromise, "--mode", "reader"),
        .. AspNetTuned(
            "aspnet-form",
            "ASP.NET Core, ReadFormAsync",
            "64 minimum threads",
            SyncedFilePromise + "; the framework buffers the form first (past 64 KiB in a temporary file)",
            "--mode",
            "form"),
        .. AspNetTuned(
            "aspnet-gzip",
            "ASP.NET Core, MultipartReader, tuned, request decompression",
            "64 minimum threads, 64 KiB and 1 MiB pooled buffers",
            SyncedFilePromise,
            "--mode",
            "reader",
            "--decompress"),
        .. AspNetTuned(
            "aspnet-parse",
            "ASP.NET Core, MultipartReader, parse only, tuned",
            "64 minimum threads, 64 KiB buffers",
            "nothing: every section is read and forgotten",
            "--mode",
            "discard").Select(peer => peer with { Stored = StoredAs.Nothing }),
        AspNet("aspnet-parse-documented", "ASP.NET Core, MultipartReader, parse only, as documented", SdkRuntimeWords, "nothing: every section is read and forgotten", "--mode", "discard") with
        {
            Stored = StoredAs.Nothing,
        },
        new Peer
        {
            Key = "nginx",
            Title = "nginx PUT to file",
            Settings = "a worker a core, 1 MiB buffers (load/peers/nginx)",
            Promise = "none: in the page cache when it answers 201, not synced, nothing parsed",
            Stored = StoredAs.BodyFiles,
            StoredUnder = "stored",
            Method = "PUT",
            Target = "/{seq}",
            Expected = [201],
            AnswersOk = false,
            Start = Nginx,
        },
        Node("node", "Node, busboy"),
        Node("node-gzip", "Node, busboy and zlib", "--decompress"),
        new Peer
        {
            Key = "c-receiver",
            Title = "bare C, socket to file (limit)",
            Settings = "a thread a connection, 1 MiB writes",
            Promise = "whole body in a file; early write-back, fdatasync and directory fsync before the 200; nothing parsed",
            Stored = StoredAs.BodyFiles,
            Start = place => new ProcessStartInfo(Path.Combine(place.BuildDirectory, "receiver"), [place.Port.ToString(CultureInfo.InvariantCulture), place.Directory]),
        },
        CLog("c-log", "bare C, O_DIRECT batched log, 64 threads (limit)", 64),
        CLog("c-log-1", "bare C, O_DIRECT log, one thread (limit)", 1),
    ];

    public static string NginxProgram => File.Exists("/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx";

    public static Peer Get(string key) => s_peers.FirstOrDefault(p => p.Key == key) ?? throw new ArgumentException($"There is no peer named {key}; known are {string.Join(", ", s_peers.Select(p => p.Key))}.");

    public static bool Exists(string key) => s_peers.Any(p => p.Key == key);

    private static Peer Listener(string key, string title, (string Name, string Value)[] settings) => new()
    {
        Key = key,
        Title = title,
        Settings = string.Join("; ", settings.Length == 0
            ? ["defaults", OurRuntimeWords]
            : [.. settings.Select(s => $"{s.Name.Replace("__", ":", StringComparison.Ordinal)}={s.Value}"), OurRuntimeWords]),
        Promise = "parsed, searchable, checksummed; bytes and catalog synced before the 200",
        Stored = StoredAs.Listener,
        Start = place =>
        {
            Run("dotnet", place.Listener, "token", "add", "--data", place.Directory, "--project", "load", "--token", Token, "--capability", "error:post");
            var url = $"127.0.0.1:{place.Port.ToString(CultureInfo.InvariantCulture)}";
            var start = new ProcessStartInfo("dotnet", [place.Listener, "serve", "--data", place.Directory, "--http", place.Tls ? "off" : url, "--https", place.Tls ? url : "off"]);
            foreach (var (name, value) in settings)
            {
                start.Environment[$"FASTLISTENER_{name}"] = value;
            }

            if (place.Tls)
            {
                start.Environment["FASTLISTENER_Listen__Certificate"] = place.Certificate;
                start.Environment["FASTLISTENER_Listen__CertificateKey"] = place.Key;
            }

            return start;
        },
    };

    /// <summary>With the file of settings that FastListener's own runtime reads, and once more with what the Web SDK wrote for it.</summary>
    private static Peer[] AspNetTuned(string key, string title, string settings, string promise, params string[] words)
    {
        var sdk = AspNet(key + SdkRuntime, $"{title}, {SdkRuntimeWords}", $"{settings}; {SdkRuntimeWords}", promise, [.. words, "--tuned"]);
        var ours = sdk with
        {
            Key = key,
            Title = title,
            Settings = $"{settings}; {OurRuntimeWords}",
            Start = place =>
            {
                var start = sdk.Start(place);
                return new ProcessStartInfo(start.FileName, ["exec", "--runtimeconfig", PeerPlace.RuntimeConfig(place.Listener), .. start.ArgumentList]);
            },
        };
        return [ours, sdk];
    }

    private static Peer AspNet(string key, string title, string settings, string promise, params string[] words) => new()
    {
        Key = key,
        Title = title,
        Settings = settings,
        Promise = promise,
        Stored = StoredAs.ReportFiles,
        Start = place => new ProcessStartInfo(
            "dotnet",
            [
                place.AspNet, "--dir", place.Directory, "--url", place.Url,
                .. place.Tls ? new[] { "--certificate", place.Certificate, "--key", place.Key } : [], .. words,
            ]),
    };

    private static Peer Node(string key, string title, params string[] extra) => new()
    {
        Key = key,
        Title = title,
        Settings = "a worker a core, 64 file threads each, 1 MiB buffers for large bodies",
        Promise = SyncedFilePromise,
        Stored = StoredAs.ReportFiles,
        Start = place => new ProcessStartInfo(
            "node", [Path.Combine(place.BuildDirectory, "node", "server.js"), place.Port.ToString(CultureInfo.InvariantCulture), place.Directory, .. extra]),
    };

    private static Peer CLog(string key, string title, int threads) => new()
    {
        Key = key,
        Title = title,
        Settings = threads == 1 ? "one thread" : $"{threads} threads, one write and sync for all that wait",
        Promise = "each object synced; no network, no HTTP, no index",
        Stored = StoredAs.CLog,
        Start = place => new ProcessStartInfo(Path.Combine(place.BuildDirectory, "log"), [place.Directory, threads.ToString(CultureInfo.InvariantCulture)]),
    };

    private static ProcessStartInfo Nginx(PeerPlace place)
    {
        Directory.CreateDirectory(Path.Combine(place.Directory, "stored"));
        var configuration = File.ReadAllText(Path.Combine(place.SourceDirectory, "nginx", "nginx.conf.in"))
            .Replace("@DIR@", place.Directory, StringComparison.Ordinal)
            .Replace("@PORT@", place.Port.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("@TLS@", place.Tls ? "ssl" : "", StringComparison.Ordinal)
            .Replace("@CERTIFICATE@", place.Tls ? $"ssl_certificate {place.Certificate}; ssl_certificate_key {place.Key};" : "", StringComparison.Ordinal);
        var path = Path.Combine(place.Directory, "nginx.conf");

        // The workers of an nginx started as root give up their rights; here they keep their user, who owns the directory.
        File.WriteAllText(path, Environment.UserName == "root" ? "user root;\n" + configuration : configuration);
        return new ProcessStartInfo(NginxProgram, ["-p", place.Directory, "-c", path, "-e", Path.Combine(place.Directory, "error.log")]);
    }

    private static void Run(string file, params string[] arguments)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{file} does not start.");
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{file} {string.Join(' ', arguments)} ended with {process.ExitCode}: {error} {output.Result}");
        }
    }
}
