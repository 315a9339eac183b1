using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FastListener.Storage.Devices;

/// <summary>The real disk. Files and directories are readable by their owner only: dumps hold secrets.</summary>
/// <param name="owner">Whom everything that is made is given to; null keeps it for this process's own account.</param>
internal sealed class LinuxDevice(FileOwner? owner = null) : StorageDevice
{
    public override StorageFile Create(string path, bool direct)
    {
        var file = new LinuxFile(Open(path, Libc.ReadWrite | Libc.CreateNew, ref direct), path, direct);
        try
        {
            owner?.Give(path);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public override StorageFile OpenExisting(string path)
    {
        var direct = false;
        return new LinuxFile(Open(path, Libc.ReadWrite, ref direct), path, direct);
    }

    public override bool CreateDirectory(string path)
    {
        if (Libc.MakeDirectory(path, Libc.PrivateDirectory) == 0)
        {
            owner?.Give(path);
            return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno == Libc.Exists ? false : throw Libc.Fault("Cannot create directory", path, errno);
    }

    public override void SyncDirectory(string path)
    {
        var descriptor = Libc.Open(path, Libc.ReadOnly | Libc.Directory | Libc.CloseOnExec, 0);
        if (descriptor < 0)
        {
            throw Libc.Fault("Cannot open directory", path, Marshal.GetLastPInvokeError());
        }

        var result = Libc.Sync(descriptor);
        var errno = Marshal.GetLastPInvokeError();
        _ = Libc.Close(descriptor);
        if (result != 0)
        {
            throw Libc.Fault("Cannot sync directory", path, errno);
        }
    }

    public override void Rename(string source, string target)
    {
        if (Libc.Rename(source, target) != 0)
        {
            throw Libc.Fault("Cannot move to", target, Marshal.GetLastPInvokeError());
        }
    }

    public override void Delete(string path)
    {
        if (Libc.Unlink(path) != 0 && Marshal.GetLastPInvokeError() is var errno and not Libc.NotFound)
        {
            throw Libc.Fault("Cannot delete", path, errno);
        }
    }

    public override void DeleteDirectory(string path)
    {
        if (Libc.RemoveDirectory(path) != 0 && Marshal.GetLastPInvokeError() is var errno and not Libc.NotFound)
        {
            throw Libc.Fault("Cannot delete directory", path, errno);
        }
    }

    public override bool SupportsDirect(string directory)
    {
        // The answer is a property of the file system: ask it once with a file of our own.
        var path = Path.Combine(directory, $"direct-{Guid.NewGuid():N}");
        try
        {
            using var file = Create(path, direct: true);
            return file.IsDirect;
        }
        finally
        {
            Delete(path);
        }
    }

    public override (long Total, long Free) Space(string directory)
    {
        try
        {
            var volume = new DriveInfo(directory); // asks for the file system of any path, not of mount points only
            return (volume.TotalSize, volume.AvailableFreeSpace);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new StorageFaultException(StorageFaultKind.InputOutput, $"Cannot ask for the space of {directory}: {fault.Message}", fault);
        }
    }

    public override unsafe (long Total, long Free) Files(string directory)
    {
        var figures = stackalloc ulong[Libc.FileSystemWords];
        if (Libc.FileSystem(directory, figures) != 0)
        {
            throw Libc.Fault("Cannot ask for the free files of", directory, Marshal.GetLastPInvokeError());
        }

        return ((long)figures[Libc.FileSystemFiles], (long)figures[Libc.FileSystemFreeFiles]);
    }

    private static SafeFileHandle Open(string path, int flags, ref bool direct)
    {
        var descriptor = Libc.Open(path, flags | Libc.CloseOnExec | (direct ? Libc.Direct : 0), Libc.PrivateFile);
        if (descriptor < 0 && direct && Marshal.GetLastPInvokeError() == Libc.InvalidArgument)
        {
            // Some file systems create the file first and refuse O_DIRECT afterwards.
            direct = false;
            if ((flags & Libc.CreateNew) != 0)
            {
                _ = Libc.Unlink(path);
            }

            descriptor = Libc.Open(path, flags | Libc.CloseOnExec, Libc.PrivateFile);
        }

        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw Libc.Fault("Cannot open", path, Marshal.GetLastPInvokeError());
    }

    private sealed class LinuxFile : StorageFile
    {
        private readonly SafeFileHandle _handle;
        private readonly string _path;

        public LinuxFile(SafeFileHandle handle, string path, bool direct)
        {
            _handle = handle;
            _path = path;
            IsDirect = direct;
        }

        public override void BecomeBuffered()
        {
            if (!IsDirect)
            {
                return;
            }

            var flags = Libc.Control(_handle, Libc.GetFlags, 0);
            if (flags < 0 || Libc.Control(_handle, Libc.SetFlags, flags & ~Libc.Direct) < 0)
            {
                throw Libc.Fault("Cannot switch to buffered writes", _path, Marshal.GetLastPInvokeError());
            }

            IsDirect = false;
        }

        public override unsafe void Write(ReadOnlySpan<byte> bytes, long offset)
        {
            fixed (byte* start = bytes)
            {
                var done = 0;
                while (done < bytes.Length)
                {
                    var written = Libc.Write(_handle, start + done, bytes.Length - done, offset + done);
                    if (written > 0)
                    {
                        done += (int)written;
                        continue;
                    }

                    var errno = written == 0 ? Libc.NoSpace : Marshal.GetLastPInvokeError();
                    if (errno != Libc.Interrupted)
                    {
                        throw Libc.Fault("Cannot write", _path, errno);
                    }
                }
            }
        }

        public override void SyncData()
        {
            // Never retried: after a failed sync the pages may be gone and a second call may lie.
            if (Libc.SyncData(_handle) != 0)
            {
                throw Libc.Fault("Cannot sync", _path, Marshal.GetLastPInvokeError());
            }
        }

        public override void SetLength(long length)
        {
            if (Libc.Truncate(_handle, length) != 0)
            {
                throw Libc.Fault("Cannot cut", _path, Marshal.GetLastPInvokeError());
            }
        }

        public override void Allocate(long length)
        {
            int errno;
            while ((errno = Libc.Allocate(_handle, 0, length)) == Libc.Interrupted)
            {
            }

            if (errno != 0)
            {
                throw Libc.Fault("Cannot allocate", _path, errno);
            }
        }

        public override void StartWriteBack(long offset, long length) =>
            _ = Libc.SyncRange(_handle, offset, length, Libc.StartWrite);

        public override void DropBehind(long offset, long length)
        {
            // Waiting consumes the error of a failed write-back: the final sync would not report it again.
            if (Libc.SyncRange(_handle, offset, length, Libc.WaitBeforeWriteAndAfter) != 0
                && Marshal.GetLastPInvokeError() is var errno and not (Libc.NotImplemented or Libc.InvalidArgument or Libc.IllegalSeek))
            {
                throw Libc.Fault("Cannot write back", _path, errno);
            }

            _ = Libc.Advise(_handle, offset, length, Libc.DontNeed);
        }

        protected override void Dispose(bool disposing) => _handle.Dispose();
    }
}
