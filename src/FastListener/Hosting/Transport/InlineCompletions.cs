namespace FastListener.Hosting.Transport;

/// <summary>
/// Runs what a socket's completion continues on the thread that polled it, instead of queuing it to the thread pool.
/// A crash of 20 KiB is a few microseconds of parsing; two thread switches cost more than that.
/// </summary>
/// <remarks>
/// The runtime reads the switch once, from the environment, when the first socket is used. It is safe here because
/// nothing on the request path blocks (disk calls have threads of their own) and because a connection that never has to
/// wait gives up its turn (<see cref="Connections.BodyReader"/>). An operator's own setting of the variable wins.
/// </remarks>
internal static class InlineCompletions
{
    private const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Call before any socket is made.</summary>
    public static void Enable()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
        {
            Environment.SetEnvironmentVariable(Variable, "1");
        }
    }
}
