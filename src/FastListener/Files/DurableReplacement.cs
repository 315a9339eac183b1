using System.ComponentModel;
using System.Runtime.InteropServices;
using FastListener.Storage;

namespace FastListener.Files;

/// <summary>
/// Replaces a file's content so that a reader, or a machine that loses power, sees the old content or the new, never a
/// mixture: a file beside it is written and synced, takes the name, and then the directory is synced.
/// </summary>
internal static partial class DurableReplacement
{
    private const int OpenReadOnlyCloseOnExec = 0x80000;

    /// <summary>The caller holds the lock that keeps others from replacing the same file. Only the owner may read it.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var beside = path + ".tmp";
        File.Delete(beside); // of an edit that was cut short
        try
        {
            using (var file = new FileStream(beside, PrivateFile.Options(FileMode.CreateNew)))
            {
                file.Write(content);
                GiveToOwnerOf(File.Exists(path) ? path : DirectoryOf(path), beside);
                file.Flush(flushToDisk: true);
            }

            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }

        SyncDirectory(DirectoryOf(path));
    }

    /// <summary>
    /// When root edits what belongs to the account that the server runs under, the result belongs to that account too:
    /// a server that may no longer read its own tokens would keep the old ones.
    /// </summary>
    public static void GiveToOwnerOf(string model, string path)
    {
        if (OperatingSystem.IsLinux())
        {
            FileOwner.ToGiveTo(model)?.Give(path);
        }
    }

    private static string DirectoryOf(string path) => Path.GetDirectoryName(Path.GetFullPath(path))!;

    private static void SyncDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var directory = Open(path, OpenReadOnlyCloseOnExec);
        if (directory < 0)
        {
            throw LastError(path);
        }

        var failed = Fsync(directory) != 0 ? LastError(path) : null;
        _ = Close(directory);
        if (failed is not null)
        {
            throw failed;
        }
    }

    private static IOException LastError(string path) =>
        new($"{path}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}.");

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Fsync(int file);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
