using System.Text;
using Spectre.Console;

namespace FastListener.Cli;

/// <summary>
/// Where a verb's words and bytes go. Text and bytes share one stream and keep their order; when a stream is a
/// terminal there is a console that can draw tables and progress on it, else null and output is plain.
/// </summary>
internal sealed class Terminal(Stream output, Stream error, IAnsiConsole? richOutput, IAnsiConsole? richError, TimeProvider clock)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Standard output as text. Buffered: <see cref="Flush"/> before anything else writes to the stream.</summary>
    public TextWriter Out { get; } = new StreamWriter(output, Utf8, 16 * 1024, leaveOpen: true);

    public TextWriter Error { get; } = new StreamWriter(error, Utf8, leaveOpen: true) { AutoFlush = true };

    public TimeProvider Clock { get; } = clock;

    public bool OutputIsTerminal => richOutput is not null;

    /// <summary>Draws on standard output; null when that is no terminal.</summary>
    public IAnsiConsole? RichOutput => Flushed(richOutput);

    /// <summary>Draws on standard error; null when that is no terminal.</summary>
    public IAnsiConsole? RichError => richError;

    /// <summary>Standard output for bytes. The caller must not close it.</summary>
    public Stream Bytes
    {
        get
        {
            Flush();
            return output;
        }
    }

    /// <summary>The process's own standard streams.</summary>
    public static Terminal OfThisProcess() => new(
        new StandardStream(Console.OpenStandardOutput()),
        new StandardStream(Console.OpenStandardError(), dropsFaults: true),
        Console.IsOutputRedirected ? null : AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Out) }),
        Console.IsErrorRedirected ? null : AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(Console.Error) }),
        TimeProvider.System);

    public void Flush() => Out.Flush();

    private IAnsiConsole? Flushed(IAnsiConsole? console)
    {
        Flush();
        return console;
    }
}
