using System.CommandLine;
using FastListener.Diagnostics;
using FastListener.Storage;
using FastListener.Tokens;

namespace FastListener.Cli;

/// <summary><c>audit</c>: whether everything that was received has come to something, and what is stored is what was accepted.</summary>
internal static class AuditCommand
{
    public static Command Create(Terminal terminal)
    {
        var since = OptionValues.Since(terminal.Clock);
        since.Description = "Only since: a date or time (2025-03-01, 2025-03-01T12:30, UTC unless it says otherwise), or how long ago (30s, 15m, 2h, 7d, 1w). " +
            "The ledger is kept by hours: counted is from the beginning of that hour.";
        var json = OptionValues.Json();
        var data = OptionValues.Data();
        var command = new Command("audit", "Prove that received = stored + degraded + refused + broken off; exit 1 if the sides differ.") { since, json, data };
        command.SetAction(async (parsed, cancel) =>
        {
            var directory = StoreAccess.Existing(parsed.GetRequiredValue(data));
            var listener = await AskAsync(terminal, directory, cancel);
            var report = UpkeepView.Run(terminal, progress => Audit.Run(directory, parsed.GetValue(since), progress, cancel));
            var view = new AuditView(terminal, report, listener, Tokens(terminal, directory));
            if (parsed.GetValue(json))
            {
                view.WriteJson();
            }
            else
            {
                view.WriteText();
            }

            return report.IsClean ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }

    /// <summary>Whose keys are in the books. A file that cannot be read takes the names away, not the verdict.</summary>
    private static TokenDocument Tokens(Terminal terminal, string directory)
    {
        try
        {
            return TokenFile.Read(directory);
        }
        catch (Exception fault) when (fault is TokenFileException or IOException or UnauthorizedAccessException)
        {
            terminal.Error.WriteLine(TerminalText.Escape($"{fault.Message} Tokens are told by their keys."));
            return TokenDocument.Empty;
        }
    }

    /// <summary>The listeners that serve the directory, if any do: they book what they have, and list what is under way.</summary>
    private static async Task<RunningListener?> AskAsync(Terminal terminal, string directory, CancellationToken cancel)
    {
        var listener = await RunningListener.AskAsync(directory, cancel);
        foreach (var fault in listener?.Faults ?? [])
        {
            terminal.Error.WriteLine(TerminalText.Escape($"{fault} Its uploads under way are not listed."));
        }

        if (listener is { Booked: false })
        {
            terminal.Error.WriteLine("Not every ledger could be brought up to date: refusals of the last seconds are on neither side.");
        }

        return listener;
    }
}
