using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FastListener.Storage.Devices;

/// <summary>The system calls .NET has no name for. Linux only.</summary>
internal static unsafe partial class Libc
{
    public const int ReadOnly = 0;
    public const int ReadWrite = 2;
    public const int CreateNew = 0x40 | 0x80; // O_CREAT | O_EXCL
    public const int CreateAny = 0x40; // O_CREAT
    public const int CloseOnExec = 0x80000;

    public const int NotFound = 2; // ENOENT
    public const int Interrupted = 4; // EINTR
    public const int WouldBlock = 11; // EAGAIN
    public const int Exists = 17; // EEXIST
    public const int NotADirectory = 20; // ENOTDIR
    public const int InvalidArgument = 22; // EINVAL
    public const int NoSpace = 28; // ENOSPC
    public const int ReadOnlyFileSystem = 30; // EROFS
    public const int NotPermitted = 1; // EPERM
    public const int AccessDenied = 13; // EACCES
    public const int FileTooLarge = 27; // EFBIG
    public const int QuotaExceeded = 122; // EDQUOT
    public const int IllegalSeek = 29; // ESPIPE
    public const int NotImplemented = 38; // ENOSYS

    public const int LockExclusiveNow = 2 | 4; // LOCK_EX | LOCK_NB
    public const int LockSharedNow = 1 | 4; // LOCK_SH | LOCK_NB
    public const int GetFlags = 3; // F_GETFL
    public const int SetFlags = 4; // F_SETFL
    public const int DontNeed = 4; // POSIX_FADV_DONTNEED
    public const uint StartWrite = 2; // SYNC_FILE_RANGE_WRITE
    public const uint WaitBeforeWriteAndAfter = 1 | 2 | 4; // SYNC_FILE_RANGE_WAIT_BEFORE | WRITE | WAIT_AFTER

    public const int PrivateFile = 0x180; // 0600
    public const int PrivateDirectory = 0x1C0; // 0700
    public const int AnybodyElse = 0x3F; // 0077

    public const int AtCurrentDirectory = -100; // AT_FDCWD
    public const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    public const uint StatusKindModeAndOwner = 0x1 | 0x2 | 0x8 | 0x10; // STATX_TYPE | MODE | UID | GID

    public const int FileSystemWords = 32; // of 64 bits: more than struct statvfs has
    public const int FileSystemFiles = 5; // f_files: the words before and up to f_favail are the same in glibc and musl
    public const int FileSystemFreeFiles = 7; // f_favail

    /// <summary>O_DIRECT and O_DIRECTORY trade places between x86 and ARM.</summary>
    public static readonly int Direct = IsArm ? 0x10000 : 0x4000;

    public static readonly int Directory = IsArm ? 0x4000 : 0x10000;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "pwrite", SetLastError = true)]
    public static partial nint Write(SafeFileHandle file, byte* bytes, nint count, long offset);

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int SyncData(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Truncate(SafeFileHandle file, long length);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(SafeFileHandle file, int command, int argument);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "sync_file_range", SetLastError = true)]
    public static partial int SyncRange(SafeFileHandle file, long offset, long length, uint flags);

    [LibraryImport("libc", EntryPoint = "posix_fadvise", SetLastError = true)]
    public static partial int Advise(SafeFileHandle file, long offset, long length, int advice);

    /// <summary>Allocates the blocks of a range. Returns the errno, and does not set it.</summary>
    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    public static partial int Allocate(SafeFileHandle file, long offset, long length);

    [LibraryImport("libc", EntryPoint = "statvfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int FileSystem(string path, ulong* figures);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Status(int directory, string path, int flags, uint mask, byte* status);

    /// <summary>Does not follow a link.</summary>
    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeMode(string path, int mode);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string source, string target);

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlink(string path);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeDirectory(string path, int mode);

    [LibraryImport("libc", EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int RemoveDirectory(string path);

    /// <summary>The exception for an errno: what was tried, what the system said.</summary>
    public static StorageFaultException Fault(string what, string path, int errno) =>
        new(KindOf(errno), $"{what} {path}: {Marshal.GetPInvokeErrorMessage(errno)} ({errno})");

    /// <summary>What kind of trouble an errno is.</summary>
    public static StorageFaultKind KindOf(int errno) => errno switch
    {
        NoSpace or QuotaExceeded or FileTooLarge => StorageFaultKind.DiskFull,
        ReadOnlyFileSystem or NotPermitted or AccessDenied => StorageFaultKind.ReadOnly,
        _ => StorageFaultKind.InputOutput,
    };
}
