using System.Globalization;
using FastListener.Configuration;

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

    /// <summary>
    /// Why these sockets and the settings do not go together; null when they do. Whoever passes a socket on goes on listening on it, so leaving it alone
    /// would not close the port: its clients would wait for an answer that never comes.
    /// </summary>
    public static string? FaultOf(IReadOnlyList<InheritedSocket> inherited, ListenSettings listen)
    {
        foreach (var (setting, address, secure, unit) in new[]
        {
            ("Listen:Http", listen.Http, false, "fastlistener.socket"),
            ("Listen:Https", listen.Https, true, "fastlistener-tls.socket"),
        })
        {
            if (inherited.Any(socket => socket.Secure == secure) && ListenSettings.TryParse(address, out var endpoint) && endpoint is null)
            {
                return $"{setting} is off, but the service manager listens for it and passed the socket on: close it there (systemctl mask --now {unit}).";
            }
        }

        return null;
    }
}
