using System.Globalization;

namespace FastListener.SystemTests.Harness;

/// <summary>What the kernel says about a running process.</summary>
internal static class ProcessFigures
{
    /// <summary>User and system time used so far.</summary>
    public static TimeSpan CpuTime(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        return TimeSpan.FromSeconds(ticks / 100.0);
    }

    /// <summary>Open sockets. Files come and go with the store; a socket left behind is a client not let go.</summary>
    public static int Sockets(int pid) => Descriptors(pid).Count(target => target.StartsWith("socket:", StringComparison.Ordinal));

    /// <summary>Open files below <paramref name="folder"/>, deleted ones included.</summary>
    public static int FilesBelow(int pid, string folder) =>
        Descriptors(pid).Count(target => target.StartsWith(folder + "/", StringComparison.Ordinal));

    /// <summary>Anonymous memory in bytes (RssAnon): heap and pools, without mapped files.</summary>
    public static long AnonymousMemory(int pid) => Status(pid, "RssAnon:") * 1024;

    /// <summary>All resident memory in bytes.</summary>
    public static long ResidentMemory(int pid) => Status(pid, "VmRSS:") * 1024;

    public static int Threads(int pid) => (int)Status(pid, "Threads:");

    /// <summary>Open descriptors of every kind.</summary>
    public static int AllDescriptors(int pid) => Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length;

    private static long Status(int pid, string name)
    {
        var line = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line[name.Length..].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture);
    }

    private static IEnumerable<string> Descriptors(int pid)
    {
        foreach (var link in Directory.GetFiles($"/proc/{pid}/fd"))
        {
            string? target;
            try
            {
                target = new FileInfo(link).LinkTarget;
            }
            catch (IOException)
            {
                continue; // Closed between the listing and this look.
            }

            if (target is not null)
            {
                yield return target;
            }
        }
    }
}
