namespace FastListener.Files;

/// <summary>Files that hold tokens, keys or settings: for their owner only.</summary>
internal static class PrivateFile
{
    /// <summary>How to open a file without a buffer; one that is made so may be read and written by its owner only, from its first moment on.</summary>
    public static FileStreamOptions Options(FileMode mode, FileAccess access = FileAccess.ReadWrite, FileShare share = FileShare.None)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }
}
