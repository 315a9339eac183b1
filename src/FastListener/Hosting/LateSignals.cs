using System.Runtime.InteropServices;

namespace FastListener.Hosting;

/// <summary>
/// A signal to end that comes once more, after the host has gone and while the store is being closed. The host's lifetime answers signals only
/// as long as it lives; from then on one would kill the process in the middle of its goodbye.
/// </summary>
internal static class LateSignals
{
    private static readonly List<PosixSignalRegistration> Held = []; // for good: also the last moments of the process are held

    /// <summary>From here on signals to end change nothing. Call when the end has been asked for: nobody else would answer them.</summary>
    public static void Ignore()
    {
        lock (Held)
        {
            if (Held.Count == 0)
            {
                foreach (var signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT })
                {
                    Held.Add(PosixSignalRegistration.Create(signal, static context => context.Cancel = true));
                }
            }
        }
    }
}
