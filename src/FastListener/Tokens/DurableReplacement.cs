using System.ComponentModel;
using System.Runtime.InteropServices;

namespace FastListener.Tokens;

/// <summary>
/// Replaces a file's content so that a reader, or a machine that loses power, sees the old content or the new, never a
/// mixture: a file beside it is written and synced, takes the name, and then the directory is synced.
/// </summary>
internal static partial class DurableReplacement
{
    private const int OpenReadOnlyCloseOnExec = 0x80000;
    private const int AtCurrentDirectory = -100;
    private const uint StatxOwner = 0x8 | 0x10;

    /// <summary>The caller holds the lock that keeps others from replacing the same file. Only the owner may read it.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var beside = path + ".tmp";
        File.Delete(beside); // of an edit that was cut short
        try
        {
            using (var file = File.OpenHandle(beside, FileMode.CreateNew, FileAccess.Write))
            {
                MakePrivate(beside);
                RandomAccess.Write(file, content, 0);
                GiveToOwnerOf(File.Exists(path) ? path : DirectoryOf(path), beside);
                RandomAccess.FlushToDisk(file);
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

    /// <summary>Only its owner may read or write the file from here on.</summary>
    public static void MakePrivate(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    /// <summary>
    /// When root edits what belongs to the account that the server runs under, the result belongs to that account too:
    /// a server that may no longer read its own tokens would keep the old ones.
    /// </summary>
    public static unsafe void GiveToOwnerOf(string model, string path)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            return;
        }

        var status = stackalloc byte[256]; // struct statx: the same on every architecture
        if (Statx(AtCurrentDirectory, model, 0, StatxOwner, status) != 0 ||
            Chown(path, *(uint*)(status + 20), *(uint*)(status + 24)) != 0)
        {
            throw LastError(path);
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

    [LibraryImport("libc", EntryPoint = "chown", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Chown(string path, uint owner, uint group);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static unsafe partial int Statx(int directory, string path, int flags, uint mask, byte* status);
}
