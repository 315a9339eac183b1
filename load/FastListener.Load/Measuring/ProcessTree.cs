using System.Globalization;

namespace FastListener.Load.Measuring;

/// <summary>
/// CPU and memory of a server process and all its children, read from /proc. CPU has the kernel's tick of 10 ms; what kernel threads do on
/// the server's behalf (write-back, the journal) is in nobody's account.
/// </summary>
internal sealed class ProcessTree
{
    private const double TicksPerSecond = 100;
    private readonly List<int> _pids;
    private readonly double[] _seconds; // of each member at the last look: what has ended keeps what it used

    public ProcessTree(int root)
    {
        _pids = [root];
        for (var i = 0; i < _pids.Count; i++)
        {
            Children(_pids[i]);
        }

        _seconds = new double[_pids.Count];
    }

    public IReadOnlyList<int> Pids => _pids;

    /// <summary>User and system time of all members, in seconds; of those that have ended, as it was at the last look. For several threads.</summary>
    public double CpuSeconds()
    {
        lock (_seconds)
        {
            for (var i = 0; i < _seconds.Length; i++)
            {
                if (TryRead($"/proc/{_pids[i]}/stat", out var stat))
                {
                    var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                    _seconds[i] = (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
                }
            }

            return _seconds.Sum();
        }
    }

    /// <summary>Anonymous resident memory of all members, in bytes.</summary>
    public long AnonymousBytes()
    {
        long sum = 0;
        foreach (var pid in _pids)
        {
            if (TryRead($"/proc/{pid}/status", out var status))
            {
                var at = status.IndexOf("RssAnon:", StringComparison.Ordinal);
                if (at >= 0)
                {
                    var value = status.AsSpan(at + 8);
                    value = value[..value.IndexOf("kB")].Trim();
                    sum += long.Parse(value, CultureInfo.InvariantCulture) * 1024;
                }
            }
        }

        return sum;
    }

    private void Children(int pid)
    {
        var tasks = $"/proc/{pid}/task";
        if (!Directory.Exists(tasks))
        {
            return;
        }

        foreach (var task in Directory.EnumerateDirectories(tasks))
        {
            if (TryRead(Path.Combine(task, "children"), out var children))
            {
                _pids.AddRange(children.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(c => int.Parse(c, CultureInfo.InvariantCulture)));
            }
        }
    }

    /// <summary>A process may end between two looks; then it has nothing more to add.</summary>
    private static bool TryRead(string path, out string text)
    {
        try
        {
            text = File.ReadAllText(path);
            return true;
        }
        catch (IOException)
        {
            text = "";
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            text = "";
            return false;
        }
    }
}
