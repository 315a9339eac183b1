using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Restart;

/// <summary>
/// A copy of the built program beside which lies a "C library" of ours whose syncs can be told to do nothing (lost-sync.c). The
/// runtime looks for native libraries beside the program first.
/// </summary>
internal static class ForgetfulProgram
{
    /// <summary>The copy's path; null without a C compiler.</summary>
    public static async Task<string?> TryMakeAsync(string folder)
    {
        if (Command.Find("cc") is not { } compiler)
        {
            return null;
        }

        (await Command.RunAsync("cp", ["-r", Path.GetDirectoryName(Repository.Program)!, folder])).Expect();
        var source = Path.Combine(Repository.Root, "tests", "FastListener.SystemTests", "Restart", "lost-sync.c");
        (await Command.RunAsync(compiler, ["-shared", "-fPIC", "-O1", "-o", Path.Combine(folder, "libc.so"), source])).Expect();
        return Path.Combine(folder, Path.GetFileName(Repository.Program));
    }
}
