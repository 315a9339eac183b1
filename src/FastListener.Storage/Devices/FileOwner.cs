using System.Runtime.InteropServices;
using FastListener.Storage.Devices;

namespace FastListener.Storage;

/// <summary>
/// The account that what root makes has to be given to: where root works on what belongs to the account that the server runs under, the server could not open
/// what root kept for itself.
/// </summary>
public sealed record FileOwner
{
    private readonly uint _user;
    private readonly uint _group;

    private FileOwner(uint user, uint group) => (_user, _group) = (user, group);

    /// <summary>The owner of what is there; null when there is nothing, or this process does not run as root, or root owns it.</summary>
    public static FileOwner? ToGiveTo(string path) =>
        Environment.IsPrivilegedProcess && FileStatus.Of(path, followLink: true) is { } status && (status.User, status.Group) != (0, 0)
            ? new(status.User, status.Group)
            : null;

    /// <summary>A link is given itself, never what it names: the owner of a directory may put one into it at any moment.</summary>
    /// <exception cref="StorageFaultException">The system refuses.</exception>
    public void Give(string path)
    {
        if (Libc.ChangeOwner(path, _user, _group) != 0)
        {
            throw Libc.Fault("Cannot give to the owner of its directory", path, Marshal.GetLastPInvokeError());
        }
    }
}
