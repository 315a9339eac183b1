namespace FastListener.Cli;

/// <summary>A verb cannot do what it was asked. The message is one sentence for the operator.</summary>
internal sealed class CommandFault(string message, int exitCode = ExitCode.Failed) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}

internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The thing asked for failed: not found, damaged, refused.</summary>
    public const int Failed = 1;

    /// <summary>Wrong usage or configuration.</summary>
    public const int Usage = 2;

    /// <summary>Ended by Ctrl+C, as shells count it.</summary>
    public const int Interrupted = 130;
}
