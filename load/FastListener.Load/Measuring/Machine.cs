using System.Globalization;
using System.Runtime.InteropServices;

namespace FastListener.Load.Measuring;

/// <summary>The machine in one line: numbers without it mean nothing.</summary>
internal static class Machine
{
    public static string Describe()
    {
        var model = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "CPU"
            : "CPU";
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1073741824.0;
        var kernel = File.Exists("/proc/sys/kernel/osrelease") ? File.ReadAllText("/proc/sys/kernel/osrelease").Trim() : Environment.OSVersion.VersionString;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Environment.ProcessorCount} x {model} ({RuntimeInformation.ProcessArchitecture}), {memory:0} GiB, Linux {kernel}, {FileSystem()}, .NET {Environment.Version}");
    }

    /// <summary>The file system that holds the current directory.</summary>
    private static string FileSystem()
    {
        if (!File.Exists("/proc/mounts"))
        {
            return "unknown file system";
        }

        var here = Environment.CurrentDirectory + "/";
        var best = File.ReadLines("/proc/mounts")
            .Select(l => l.Split(' '))
            .Where(f => f.Length > 3 && (f[1] == "/" || here.StartsWith(f[1] + "/", StringComparison.Ordinal)))
            .MaxBy(f => f[1].Length);
        return best is null ? "unknown file system" : $"{best[2]} ({(best[3].Contains("discard", StringComparison.Ordinal) ? "discard" : "no discard")})";
    }
}
