using System.CommandLine;
using FastListener.Storage;

namespace FastListener.Cli;

internal static class ExportCommand
{
    private const string StandardOutput = "-";

    public static Command Create(Terminal terminal)
    {
        var ids = OptionValues.Ids();
        var all = new Option<bool>("--all") { Description = "Every object there is; needs --to." };
        var part = new Option<string?>("--part")
        {
            Description = "One part instead of the report: its name, its file name or its number, as show lists them.",
            HelpName = "NAME",
        };
        var output = new Option<string?>("-o", "--output")
        {
            Description = "Write to this file; - is standard output, which then carries nothing else.",
            HelpName = "FILE",
        };
        var to = new Option<string?>("--to")
        {
            Description = "Write into this directory: reports as DIR/<_rxid>, everything else as DIR/<_rxid>.parts/<name>.",
            HelpName = "DIR",
        };
        output.RefuseEmpty("a file");
        to.RefuseEmpty("a directory");
        var data = OptionValues.Data();
        var command = new Command("export", "Write out what is stored, byte for byte as it was sent.") { ids, all, part, output, to, data };
        command.Validators.Add(result =>
        {
            // Faults found here keep the library from looking at the arguments themselves: name theirs, too.
            var given = result.GetResult(ids)?.Tokens ?? [];
            foreach (var fault in given.Select(token => OptionValues.FaultOfId(token.Value)).OfType<string>())
            {
                result.AddError(fault);
            }

            var count = given.Count;
            var everything = result.GetValue(all);
            var intoFile = result.GetResult(output) is not null;
            var intoDirectory = result.GetResult(to) is not null;
            if (count == 0 && !everything)
            {
                result.AddError("Say which object: an ID, or --all.");
            }

            if (count > 0 && everything)
            {
                result.AddError("--all and an ID exclude each other.");
            }

            if (intoFile && intoDirectory)
            {
                result.AddError("-o and --to exclude each other.");
            }

            if ((everything || count > 1) && !intoDirectory)
            {
                result.AddError("Several objects need --to DIR.");
            }
            else if (count == 1 && !intoFile && !intoDirectory && terminal.OutputIsTerminal)
            {
                result.AddError("Standard output is a terminal: say where to write, with -o FILE or --to DIR, or insist with -o -.");
            }

            if (everything && result.GetResult(part) is not null)
            {
                result.AddError("--all writes every part: --part does not go with it.");
            }
        });
        command.SetAction((parsed, cancel) =>
        {
            using var reader = StoreAccess.Open(parsed.GetRequiredValue(data));
            var export = new ObjectExport(reader);
            var name = parsed.GetValue(part);
            if (parsed.GetValue(to) is not { } directory)
            {
                var item = reader.Require(parsed.GetRequiredValue(ids)[0]);
                WriteOne(terminal, export, item, ObjectExport.Select(item, name), parsed.GetValue(output) ?? StandardOutput);
            }
            else if (parsed.GetValue(all))
            {
                WriteAll(terminal, reader, export, directory, cancel);
            }
            else
            {
                foreach (var id in parsed.GetRequiredValue(ids))
                {
                    cancel.ThrowIfCancellationRequested();
                    WriteSome(reader, export, id, name, directory);
                }

                Summarise(terminal, export, directory);
            }

            export.Notes.ForEach(terminal.Error.WriteLine);
            export.Faults.ForEach(terminal.Error.WriteLine);
            return Task.FromResult(export.Faults.Count == 0 ? ExitCode.Ok : ExitCode.Failed);
        });
        return command;
    }

    private static void WriteOne(Terminal terminal, ObjectExport export, ObjectDetails item, PayloadInfo payload, string target)
    {
        if (payload.IsOmitted)
        {
            export.Faults.Add(ObjectExport.NotKept(item, payload)); // no file: an empty one would look like an answer
            return;
        }

        if (target == StandardOutput)
        {
            export.Copy(item, payload, terminal.Bytes);
            return;
        }

        export.WriteFile(target, item, payload);
    }

    /// <summary>One that is missing does not keep the others from being written.</summary>
    private static void WriteSome(StoreReader reader, ObjectExport export, ObjectReference id, string? part, string directory)
    {
        try
        {
            var item = reader.Require(id);
            export.WriteTo(directory, item, part is null ? null : ObjectExport.Select(item, part));
        }
        catch (CommandFault fault)
        {
            export.Faults.Add(fault.Message);
        }
    }

    private static void WriteAll(Terminal terminal, StoreReader reader, ObjectExport export, string directory, CancellationToken cancel)
    {
        Directory.CreateDirectory(directory);
        var objects = 0L;
        UpkeepView.Run(terminal, progress =>
        {
            var total = terminal.RichError is null ? 0 : reader.List(new ObjectQuery()).LongCount();
            foreach (var item in reader.All())
            {
                cancel.ThrowIfCancellationRequested();
                export.WriteTo(directory, item, only: null);
                progress.Report(new("Exporting", ++objects, total, export.Bytes));
            }

            return objects;
        });
        terminal.Out.Write($"{TerminalText.Count(objects, "object")}: ");
        Summarise(terminal, export, directory);
    }

    private static void Summarise(Terminal terminal, ObjectExport export, string directory) => terminal.Out.WriteLine(
        $"{TerminalText.Count(export.Parts, "part")}, {TerminalText.Size(export.Bytes)}, written to {TerminalText.Escape(directory)}.");
}
