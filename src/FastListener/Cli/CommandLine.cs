using System.CommandLine;
using System.CommandLine.Parsing;
using System.Data.Common;
using System.Security;
using FastListener.Tokens;

namespace FastListener.Cli;

/// <summary>The command line: every verb, and what becomes of a verb that fails.</summary>
internal static class CommandLine
{
    /// <summary>
    /// Runs the verb that <paramref name="args"/> name and returns the exit code: 0 when it did what was asked, 1 when
    /// that failed, 2 when it was asked wrongly. Faults go to standard error, a sentence each.
    /// </summary>
    /// <param name="args">What the process was started with.</param>
    /// <param name="serve">
    /// Runs the listener and returns its exit code. It handles SIGTERM and Ctrl+C itself; its token is never cancelled by them.
    /// </param>
    /// <param name="terminal">Where words go; the process's own streams when null.</param>
    public static async Task<int> RunAsync(
        string[] args, Func<ServeArguments, CancellationToken, Task<int>> serve, Terminal? terminal = null)
    {
        terminal ??= Terminal.OfThisProcess();
        var exit = await RunVerbAsync(args, serve, terminal);
        try
        {
            terminal.Flush();
            return exit;
        }
        catch (IOException failure)
        {
            terminal.Error.WriteLine(failure.Message);
            return exit is ExitCode.Ok ? ExitCode.Failed : exit;
        }
    }

    /// <summary>Every verb with its options, as the help prints them.</summary>
    public static RootCommand Build(Func<ServeArguments, CancellationToken, Task<int>> serve, Terminal terminal) =>
        new("FastListener takes crash reports over HTTP and keeps them.")
        {
            ServeCommand.Create(serve),
            TokenCommand.Create(terminal),
            ListCommand.Create(terminal),
            ShowCommand.Create(terminal),
            ExportCommand.Create(terminal),
            UpkeepCommands.CreateVerify(terminal),
            AuditCommand.Create(terminal),
            UpkeepCommands.CreateSalvage(terminal),
            UpkeepCommands.CreateBackup(terminal),
            SendCommand.Create(terminal),
        };

    private static async Task<int> RunVerbAsync(string[] args, Func<ServeArguments, CancellationToken, Task<int>> serve, Terminal terminal)
    {
        try
        {
            var parsed = Build(serve, terminal).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (parsed.Errors.Count > 0)
            {
                foreach (var message in parsed.Errors.Select(error => error.Message).Distinct(StringComparer.Ordinal))
                {
                    terminal.Error.WriteLine(TerminalText.Escape(message));
                }

                terminal.Error.WriteLine($"See: fastlistener {PathOf(parsed.CommandResult)}--help");
                return ExitCode.Usage;
            }

            var invocation = new InvocationConfiguration
            {
                Output = terminal.Out,
                Error = terminal.Error,
                EnableDefaultExceptionHandler = false,
            };
            if (parsed.CommandResult.Command.Name == "serve")
            {
                invocation.ProcessTerminationTimeout = null; // the listener drains, and knows for how long
            }

            return await parsed.InvokeAsync(invocation);
        }
        catch (CommandFault fault)
        {
            terminal.Error.WriteLine(fault.Message);
            return fault.ExitCode;
        }
        catch (TokenFileException faults)
        {
            terminal.Error.WriteLine(faults.Message);
            return ExitCode.Usage;
        }
        catch (OperationCanceledException)
        {
            terminal.Error.WriteLine("Interrupted.");
            return ExitCode.Interrupted;
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException or SecurityException or DbException)
        {
            terminal.Error.WriteLine(TerminalText.Escape(failure.Message));
            return ExitCode.Failed;
        }
    }

    private static string PathOf(CommandResult result)
    {
        var path = "";
        for (SymbolResult? at = result; at is CommandResult { Parent: not null } command; at = at.Parent)
        {
            path = command.Command.Name + ' ' + path;
        }

        return path;
    }
}
