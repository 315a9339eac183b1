namespace FastListener.Load.Cli;

/// <summary>Turns what a user can get wrong into one line and an exit code of 2; what the run itself gets wrong into 1.</summary>
internal static class Usage
{
    /// <summary>Exit code of a run that SIGTERM or Ctrl+C ended early, whatever it had measured by then.</summary>
    public const int Interrupted = 130;

    /// <summary>Runs on another thread: a run begun on the caller's would be over before anybody listens for signals.</summary>
    public static Task<int> GuardAsync(Func<int> action) => Task.Run(() => Guard(action));

    private static int Guard(Func<int> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is ArgumentException or FileNotFoundException or DirectoryNotFoundException or System.Text.Json.JsonException)
        {
            Console.Error.WriteLine(e.Message);
            return 2;
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }
}
