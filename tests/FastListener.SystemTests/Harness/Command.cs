using System.Diagnostics;
using System.Text;

namespace FastListener.SystemTests.Harness;

/// <summary>What a finished process left behind.</summary>
internal sealed record CommandResult(int ExitCode, byte[] OutputBytes, string Error)
{
    public string Output => Encoding.UTF8.GetString(OutputBytes);

    /// <summary>The result, if the process ended with 0; else a failure that shows what it said.</summary>
    public CommandResult Expect(int exitCode = 0)
    {
        Assert.True(ExitCode == exitCode, $"Exit code {ExitCode} instead of {exitCode}.\nstdout: {Output}\nstderr: {Error}");
        return this;
    }
}

/// <summary>Runs one process to its end.</summary>
internal static class Command
{
    /// <summary>One verb of the program.</summary>
    public static Task<CommandResult> FastListenerAsync(params string[] arguments) =>
        RunAsync("dotnet", [Repository.Program, .. arguments]);

    /// <summary>A script, as somebody would paste it into a shell.</summary>
    public static Task<CommandResult> BashAsync(string script, string? directory = null) =>
        RunAsync("bash", ["-c", script], directory);

    public static async Task<CommandResult> RunAsync(
        string program, IEnumerable<string> arguments, string? directory = null, TimeSpan? limit = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory ?? Path.GetTempPath(),
        };
        CleanEnvironment.Apply(start);
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        using var deadline = new CancellationTokenSource(limit ?? TimeSpan.FromMinutes(3));
        try
        {
            await process.StandardOutput.BaseStream.CopyToAsync(output, deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', start.ArgumentList)} did not end.");
        }

        return new CommandResult(process.ExitCode, output.ToArray(), await error);
    }

    /// <summary>The full path of a program, or null when it is not installed.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Append("/usr/sbin")
            .Append("/sbin")
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);
}
