using System.CommandLine;
using System.Globalization;
using FastListener.Configuration;
using FastListener.Files;
using FastListener.Storage;
using FastListener.Tokens;

namespace FastListener.Cli;

/// <summary><c>verify</c>, <c>salvage</c> and <c>backup</c>: the long jobs of the store, with their progress.</summary>
internal static class UpkeepCommands
{
    public static Command CreateVerify(Terminal terminal)
    {
        var data = OptionValues.Data();
        var command = new Command("verify", "Read everything stored and compare it with its checksums; exit 1 if a byte is wrong.") { data };
        command.SetAction((parsed, cancel) =>
        {
            var directory = StoreAccess.Existing(parsed.GetRequiredValue(data));
            var report = UpkeepView.Run(terminal, progress => Verification.Run(directory, progress, cancel));
            terminal.Out.WriteLine(
                $"{TerminalText.Count(report.Objects, "object")}, {TerminalText.Count(report.Payloads, "payload")}, {TerminalText.Size(report.Bytes)} read: " +
                (report.IsClean ? "every byte is as it was committed." : $"{TerminalText.Count(report.Damaged.Count, "place")} damaged."));
            if (report.Omitted > 0)
            {
                terminal.Out.WriteLine($"{TerminalText.Count(report.Omitted, "payload")} of degraded objects {(report.Omitted == 1 ? "was" : "were")} not kept when they came, so there was nothing to read.");
            }

            if (report.IsClean)
            {
                return Task.FromResult(ExitCode.Ok);
            }

            var listing = new Listing(terminal, "ID", "_RXID", "PART", new("WHERE", Breaks: 16), new("PROBLEM", Breaks: 16));
            foreach (var damage in report.Damaged)
            {
                listing.Add(
                    damage.ObjectId.ToString("x", CultureInfo.InvariantCulture),
                    damage.Rxid,
                    damage.PayloadIndex < 0 ? "record" : damage.PayloadIndex.ToString(CultureInfo.InvariantCulture),
                    damage.Location,
                    damage.Problem);
            }

            listing.End();
            return Task.FromResult(ExitCode.Failed);
        });
        return command;
    }

    public static Command CreateSalvage(Terminal terminal)
    {
        var data = OptionValues.Data();
        var command = new Command("salvage", "Rebuild a lost or damaged catalog from the packs; exit 1 if a place in them could not be brought back. The server must be stopped.") { data };
        command.SetAction((parsed, cancel) =>
        {
            var directory = StoreAccess.Existing(parsed.GetRequiredValue(data));
            var report = UpkeepView.Run(terminal, progress => Salvage.Run(directory, progress, cancel));
            terminal.Out.WriteLine(
                $"{TerminalText.Count(report.Objects, "object")} and {TerminalText.Count(report.LateAttachments, "late attachment")} " +
                $"found in {TerminalText.Count(report.Packs, "pack")}.");
            if (report.Unconfirmed > 0)
            {
                terminal.Out.WriteLine($"Of {report.Unconfirmed} of them no commit could be proved; they are marked in every listing.");
            }

            if (report.OldCatalog is { } old)
            {
                terminal.Out.WriteLine($"The catalog that was there is now {TerminalText.Escape(old)}.");
            }

            foreach (var note in report.Notes)
            {
                terminal.Error.WriteLine($"Note: {TerminalText.Escape(note)}");
            }

            foreach (var place in report.Skipped)
            {
                terminal.Error.WriteLine($"Skipped: {TerminalText.Escape(place)}");
            }

            if (report.Skipped.Count == 0)
            {
                return Task.FromResult(ExitCode.Ok);
            }

            terminal.Out.WriteLine(
                $"{TerminalText.Count(report.Skipped.Count, "place")} in the packs {(report.Skipped.Count == 1 ? "was" : "were")} skipped, named on standard error: what was stored there may be missing.");
            return Task.FromResult(ExitCode.Failed);
        });
        return command;
    }

    public static Command CreateBackup(Terminal terminal)
    {
        var data = OptionValues.Data();
        var to = new Option<string>("--to")
        {
            Description = "The directory of the copy: missing or empty.",
            HelpName = "DIR",
            Required = true,
        }.RefuseEmpty("a directory");
        var command = new Command("backup", "Copy the data directory as it is at one moment, also while the server runs; exit 1 if something was not there to be copied.") { to, data };
        command.SetAction((parsed, cancel) =>
        {
            var source = StoreAccess.Existing(parsed.GetRequiredValue(data));
            var target = parsed.GetRequiredValue(to);
            var report = UpkeepView.Run(terminal, progress => Backup.Run(source, target, progress, cancel));
            CopyConfiguration(source, target);
            terminal.Out.WriteLine(
                $"{TerminalText.Count(report.Objects, "object")}, {TerminalText.Count(report.Packs, "pack")} and " +
                $"{TerminalText.Count(report.Files, "large payload")} copied, {TerminalText.Size(report.Bytes)}, to {TerminalText.Escape(target)}.");
            if (report.IsComplete)
            {
                return Task.FromResult(ExitCode.Ok);
            }

            foreach (var line in report.Missing)
            {
                terminal.Error.WriteLine($"Missing: {TerminalText.Escape(line)}");
            }

            terminal.Out.WriteLine(
                $"{TerminalText.Count(report.Missing.Count, "file")} could not be copied whole and {(report.Missing.Count == 1 ? "is" : "are")} named on standard error: the copy has everything else.");
            return Task.FromResult(ExitCode.Failed);
        });
        return command;
    }

    /// <summary>What a server needs to serve the copy elsewhere, and the store knows nothing of: tokens, settings and certificates.</summary>
    private static void CopyConfiguration(string source, string target)
    {
        foreach (var (from, to) in ((string, string)[])
            [
                (TokenFile.PathIn(source), TokenFile.PathIn(target)),
                (SettingsLoader.FileIn(source), SettingsLoader.FileIn(target)),
            ])
        {
            if (File.Exists(from))
            {
                DurableReplacement.Write(to, File.ReadAllBytes(from));
            }
        }

        var certificates = new DirectoryInfo(Path.Combine(source, "certs"));
        if (!certificates.Exists)
        {
            return;
        }

        var copies = Path.Combine(target, certificates.Name);
        PrivateDirectory.Create(copies);
        DurableReplacement.GiveToOwnerOf(target, copies);
        foreach (var file in certificates.EnumerateFiles())
        {
            DurableReplacement.Write(Path.Combine(copies, file.Name), File.ReadAllBytes(file.FullName));
        }
    }
}
