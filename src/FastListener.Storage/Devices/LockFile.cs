using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FastListener.Storage.Devices;

/// <summary>An advisory lock that the kernel gives back when its process ends, however it ends.</summary>
internal sealed class LockFile : IDisposable
{
    private readonly SafeFileHandle _handle;

    private LockFile(SafeFileHandle handle) => _handle = handle;

    /// <summary>Takes the lock, creating the file; null when another holder has it. A shared one is kept from exclusive holders only.</summary>
    public static LockFile? TryTake(string path, bool shared = false)
    {
        var descriptor = Libc.Open(path, Libc.ReadWrite | Libc.CreateAny | Libc.CloseOnExec, Libc.PrivateFile);
        if (descriptor < 0)
        {
            throw Libc.Fault("Cannot open", path, Marshal.GetLastPInvokeError());
        }

        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Libc.Lock(handle, shared ? Libc.LockSharedNow : Libc.LockExclusiveNow) == 0)
        {
            return new(handle);
        }

        var errno = Marshal.GetLastPInvokeError();
        handle.Dispose();
        return errno == Libc.WouldBlock ? null : throw Libc.Fault("Cannot lock", path, errno);
    }

    /// <summary>Waits for another holder to give it back; null when that takes too long.</summary>
    public static LockFile? Take(string path, TimeSpan within)
    {
        var pause = TimeSpan.FromMilliseconds(20);
        for (var waited = TimeSpan.Zero; ; waited += pause)
        {
            if (TryTake(path) is { } taken)
            {
                return taken;
            }

            if (waited >= within)
            {
                return null;
            }

            Thread.Sleep(pause);
        }
    }

    public void Dispose() => _handle.Dispose();
}
