using System.Diagnostics;
using System.Text.Json;

namespace FastListener.Load.Compare;

/// <summary>Where figures come from: without it they mean nothing.</summary>
internal sealed record Provenance(string Machine, string Programs, string Revision, string Command)
{
    /// <summary>How the .NET servers' runtime is set up, a line each.</summary>
    public IReadOnlyList<string> Runtimes { get; init; } = [];

    public static Provenance Of(string root, string build, string listener, string work, IEnumerable<string> peers, string command) =>
        new(Measuring.Machine.Describe(work), string.Join(", ", ProgramsOf([.. peers], build)), RevisionOf(root), command)
        {
            Runtimes =
            [
                $"FastListener's runtime settings: {Settings(listener)}.",
                $"The Web SDK's: {Settings(new PeerPlace("", 0, false, "", "", build, "", listener).AspNet)}.",
            ],
        };

    /// <summary>The short name of the commit, and whether the tree is that commit.</summary>
    private static string RevisionOf(string root)
    {
        var revision = Said("git", "-C", root, "rev-parse", "--short", "HEAD");
        return revision.Length == 0 ? "unknown" : Said("git", "-C", root, "status", "--porcelain", "--untracked-files=no").Length == 0 ? revision : $"{revision}-dirty";
    }

    /// <summary>Versions of what is not built here, as far as it takes part.</summary>
    private static IEnumerable<string> ProgramsOf(string[] peers, string build)
    {
        bool Any(string prefix) => peers.Any(p => p.StartsWith(prefix, StringComparison.Ordinal));
        if (Any("nginx"))
        {
            yield return Said(PeerCatalog.NginxProgram, "-v").Replace("nginx version: ", "", StringComparison.Ordinal);
        }

        if (Any("node"))
        {
            yield return $"Node {Said("node", "--version").TrimStart('v')}";
            yield return $"busboy {Busboy(Path.Combine(build, "node", "node_modules", "busboy", "package.json"))}";
        }

        if (Any("c-"))
        {
            yield return Said("cc", "--version").Split('\n')[0];
        }
    }

    private static string Busboy(string package)
    {
        if (!File.Exists(package))
        {
            return "unknown";
        }

        using var json = JsonDocument.Parse(File.ReadAllBytes(package));
        return json.RootElement.GetProperty("version").GetString() ?? "unknown";
    }

    /// <summary>What the file beside the program tells the runtime about threads, garbage and compilation.</summary>
    private static string Settings(string program)
    {
        var path = PeerPlace.RuntimeConfig(program);
        if (!File.Exists(path))
        {
            return "unknown";
        }

        using var json = JsonDocument.Parse(File.ReadAllBytes(path));
        return string.Join(", ", json.RootElement.GetProperty("runtimeOptions").GetProperty("configProperties").EnumerateObject()
            .Where(p => p.Name.StartsWith("System.GC.", StringComparison.Ordinal)
                || p.Name.StartsWith("System.Threading.", StringComparison.Ordinal)
                || p.Name.StartsWith("System.Runtime.Tiered", StringComparison.Ordinal))
            .Select(p => $"`{p.Name}` {p.Value.GetRawText()}"));
    }

    /// <summary>What a program says, on whichever of its two outputs; nothing when it is not there.</summary>
    private static string Said(string program, params string[] words)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, words) { RedirectStandardOutput = true, RedirectStandardError = true });
            var error = process!.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? (output + error.Result).Trim() : "";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "";
        }
    }
}
