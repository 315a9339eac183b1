using System.Runtime.InteropServices;
using FastListener.Storage.Devices;

namespace FastListener.Storage;

/// <summary>What the system says of a name, and .NET does not.</summary>
/// <param name="User">The account that owns it.</param>
/// <param name="Group">Its group.</param>
/// <param name="Mode">Its kind and permissions, as <c>stat</c> has them.</param>
public readonly record struct FileStatus(uint User, uint Group, int Mode)
{
    private const int KindMask = 0xF000; // S_IFMT
    private const int RegularKind = 0x8000; // S_IFREG
    private const int StatusBytes = 256; // struct statx: the same on every architecture
    private const int UserAt = 20;
    private const int GroupAt = 24;
    private const int ModeAt = 28;

    /// <summary>True for a file in the usual sense: no directory, device, pipe, socket or link.</summary>
    public bool IsRegular => (Mode & KindMask) == RegularKind;

    /// <summary>Null when there is nothing of that name.</summary>
    /// <exception cref="StorageFaultException">It cannot be looked at.</exception>
    public static unsafe FileStatus? Of(string path, bool followLink)
    {
        var status = stackalloc byte[StatusBytes];
        if (Libc.Status(Libc.AtCurrentDirectory, path, followLink ? 0 : Libc.NoFollow, Libc.StatusKindModeAndOwner, status) == 0)
        {
            return new(*(uint*)(status + UserAt), *(uint*)(status + GroupAt), *(ushort*)(status + ModeAt));
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno is Libc.NotFound or Libc.NotADirectory ? null : throw Libc.Fault("Cannot look at", path, errno);
    }
}
