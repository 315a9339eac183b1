using System.Text;
using System.Text.Json;
using FastListener.Cli;
using Microsoft.Extensions.Time.Testing;
using Spectre.Console;

namespace FastListener.Tests.Cli;

/// <summary>One run of the command line inside the test's process: what it answered, said and complained of.</summary>
internal sealed record CommandRun(int Exit, byte[] Bytes, string Error)
{
    public static readonly DateTimeOffset Now = new(2025, 3, 14, 15, 9, 26, TimeSpan.Zero);

    public string Out => Encoding.UTF8.GetString(Bytes);

    public string[] Lines => Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public JsonElement Json => JsonDocument.Parse(Bytes).RootElement.Clone();

    public static async Task<CommandRun> Of(params string[] args) => await Run(args, onTerminal: false);

    /// <summary>As if standard output were a terminal of 200 columns.</summary>
    public static async Task<CommandRun> OnTerminal(params string[] args) => await Run(args, onTerminal: true);

    public static async Task<CommandRun> Run(
        string[] args, bool onTerminal, Func<ServeArguments, CancellationToken, Task<int>>? serve = null, int columns = 200)
    {
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        var terminal = new Terminal(output, error, onTerminal ? Rich(output, columns) : null, null, new FakeTimeProvider(Now));
        var exit = await CommandLine.RunAsync(args, serve ?? ((_, _) => throw new InvalidOperationException("serve was not expected")), terminal);
        return new(exit, output.ToArray(), Encoding.UTF8.GetString(error.ToArray()));
    }

    private static IAnsiConsole Rich(Stream output, int columns)
    {
        var console = AnsiConsole.Create(new()
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(new StreamWriter(output, new UTF8Encoding(false)) { AutoFlush = true }),
        });
        console.Profile.Width = columns;
        return console;
    }
}
