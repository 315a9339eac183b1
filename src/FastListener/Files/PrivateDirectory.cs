namespace FastListener.Files;

/// <summary>Directories that hold dumps, tokens and keys: crash dumps are memory, and memory holds secrets.</summary>
internal static class PrivateDirectory
{
    /// <summary>Creates it for its owner only. One that is there already keeps the mode that the operator gave it.</summary>
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
