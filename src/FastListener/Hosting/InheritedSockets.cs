using System.Globalization;

namespace FastListener.Hosting;

/// <summary>
/// Sockets that systemd bound and passed on (sd_listen_fds(3)): with them a restart refuses no connection, because the
/// kernel keeps queuing while no process accepts.
/// </summary>
/// <param name="Descriptor">File descriptor of a listening stream socket.</param>
/// <param name="Secure">Whether TLS is spoken on it.</param>
internal readonly record struct InheritedSocket(ulong Descriptor, bool Secure)
{
    private const int First = 3;

    /// <summary>
    /// What was passed to this process; empty when nothing was. A socket named <c>https</c> (FileDescriptorName=) speaks
    /// TLS, any other does not.
    /// </summary>
    public static IReadOnlyList<InheritedSocket> Find(Func<string, string?> environment)
    {
        if (!int.TryParse(environment("LISTEN_PID"), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
            || pid != Environment.ProcessId
            || !int.TryParse(environment("LISTEN_FDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            return [];
        }

        var names = (environment("LISTEN_FDNAMES") ?? "").Split(':');
        return [.. Enumerable.Range(0, count).Select(i =>
            new InheritedSocket((ulong)(First + i), i < names.Length && names[i] == "https"))];
    }
}
