using System.Runtime.InteropServices;

namespace FastListener.Peers.AspNet;

/// <summary>The promise both ASP.NET peers keep before they answer: the file's bytes and its name have been synced.</summary>
internal static partial class SyncedFile
{
    public static void FlushDirectory(string path)
    {
        var directory = open(path, 0x10000 | 0x80000); // O_DIRECTORY | O_CLOEXEC
        if (directory < 0)
        {
            throw new IOException($"open {path}: errno {Marshal.GetLastPInvokeError()}");
        }

        var result = fsync(directory);
        var error = Marshal.GetLastPInvokeError();
        _ = close(directory);
        if (result != 0)
        {
            throw new IOException($"fsync {path}: errno {error}");
        }
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(int descriptor);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);
}
