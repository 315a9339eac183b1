using System.Diagnostics;
using System.Globalization;

namespace FastListener.Admin;

/// <summary>What the process uses of the machine, under the names that Prometheus' client libraries give such figures.</summary>
internal static class ProcessMetrics
{
    private const string Descriptors = "/proc/self/fd";
    private static readonly DateTime Started = Process.GetCurrentProcess().StartTime.ToUniversalTime();

    public static void Add(MetricsText text)
    {
        text.Add("process_start_time_seconds", "Start of the process, seconds since 1970.", (Started - DateTime.UnixEpoch).TotalSeconds);
        text.Add("process_cpu_seconds_total", "User and system time used.", Environment.CpuUsage.TotalTime.TotalSeconds);
        text.Add("process_resident_memory_bytes", "Resident memory, mapped files included.", Environment.WorkingSet);
        if (OperatingSystem.IsLinux())
        {
            AddLinux(text);
        }

        text.Add("dotnet_gc_heap_bytes", "The managed heap.", GC.GetTotalMemory(forceFullCollection: false));
        text.Add("dotnet_gc_committed_bytes", "What the garbage collector holds of the system's memory.", GC.GetGCMemoryInfo().TotalCommittedBytes);
        text.Add("dotnet_gc_allocated_bytes_total", "Bytes allocated on the managed heap.", GC.GetTotalAllocatedBytes());
        text.Add("dotnet_gc_pause_seconds_total", "Time in which all threads stood still for the garbage collector.", GC.GetTotalPauseDuration().TotalSeconds);
        text.Add("dotnet_gc_collections_total", "Collections by generation.", Enumerable.Range(0, GC.MaxGeneration + 1).Select(generation =>
            (MetricsText.Label("generation", generation.ToString(CultureInfo.InvariantCulture)), (double)GC.CollectionCount(generation))));
        text.Add("dotnet_threadpool_threads", "Threads of the pool.", ThreadPool.ThreadCount);
        text.Add("dotnet_threadpool_queue", "Work that waits for a thread of the pool.", ThreadPool.PendingWorkItemCount);
    }

    private static void AddLinux(MetricsText text)
    {
        text.Add("process_open_fds", "Open file descriptors.", Directory.EnumerateFileSystemEntries(Descriptors).Count() - 1); // the look itself takes one
        if (Row("/proc/self/limits", "Max open files") is { } limit)
        {
            text.Add("process_max_fds", "How many there may be.", limit);
        }

        if (Row("/proc/self/status", "Threads:") is { } threads)
        {
            text.Add("process_threads", "Threads.", threads);
        }

        if (Row("/proc/self/status", "RssAnon:") is { } kibibytes)
        {
            text.Add("process_anonymous_memory_bytes", "Resident memory without mapped files.", kibibytes * 1024);
        }
    }

    /// <summary>The first number of the line that begins so.</summary>
    private static double? Row(string file, string start)
    {
        var line = File.ReadLines(file).FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal));
        return line?[start.Length..].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries) is [var word, ..]
            && double.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
    }
}
