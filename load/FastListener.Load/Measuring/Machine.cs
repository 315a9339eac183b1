using System.Globalization;
using System.Runtime.InteropServices;

namespace FastListener.Load.Measuring;

/// <summary>The machine in one line: numbers without it mean nothing.</summary>
internal static class Machine
{
    /// <param name="directory">Where the server under test keeps its data; null when that is not known.</param>
    public static string Describe(string? directory = null)
    {
        var model = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "CPU"
            : "CPU";
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1073741824.0;
        var kernel = File.Exists("/proc/sys/kernel/osrelease") ? File.ReadAllText("/proc/sys/kernel/osrelease").Trim() : Environment.OSVersion.VersionString;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} x {model} ({RuntimeInformation.ProcessArchitecture}), {memory:0} GiB, Linux {kernel}, {(directory is null ? "" : FileSystem(directory) + ", ")}.NET {Environment.Version}");
    }

    private static string FileSystem(string directory)
    {
        if (!File.Exists("/proc/mounts"))
        {
            return "unknown file system";
        }

        var here = Path.GetFullPath(directory) + "/";
        var best = File.ReadLines("/proc/mounts")
            .Select(l => l.Split(' '))
            .Where(f => f.Length > 3 && (f[1] == "/" || here.StartsWith(f[1] + "/", StringComparison.Ordinal)))
            .MaxBy(f => f[1].Length);
        return best is null ? "unknown file system" : $"{best[2]} ({(best[3].Contains("discard", StringComparison.Ordinal) ? "discard" : "no discard")})";
    }
}
