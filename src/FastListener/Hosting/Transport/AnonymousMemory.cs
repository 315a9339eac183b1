using System.Runtime.InteropServices;

namespace FastListener.Hosting.Transport;

/// <summary>
/// Anonymous pages straight from the kernel (mmap(2), madvise(2)): unlike the managed heap they can be given back at once, at a moment
/// we choose, without a garbage collection.
/// </summary>
internal static unsafe partial class AnonymousMemory
{
    private const int ProtectionReadWrite = 0x1 | 0x2;
    private const int MapPrivateAnonymous = 0x02 | 0x20;
    private const int AdviceDontNeed = 4;

    /// <summary>Whether this system has it; elsewhere blocks are pinned arrays.</summary>
    public static bool IsSupported => OperatingSystem.IsLinux();

    /// <summary>Maps <paramref name="length"/> zeroed bytes. They cost no physical memory until they are touched.</summary>
    /// <exception cref="InsufficientMemoryException">The kernel refused.</exception>
    public static byte* Map(int length)
    {
        var address = MapPages(0, (nuint)length, ProtectionReadWrite, MapPrivateAnonymous, -1, 0);
        return address != -1 ? (byte*)address : throw new InsufficientMemoryException($"mmap of {length} bytes failed: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    /// <summary>
    /// Gives the physical pages back and keeps the addresses. A kernel that refuses (it does for locked pages) costs memory and nothing else, and whoever
    /// calls this, a timer or a thread that polls sockets, could take no exception.
    /// </summary>
    public static void Discard(byte* address, int length) => _ = Advise((nint)address, (nuint)length, AdviceDontNeed);

    /// <summary>Ends a mapping. A refusal is borne as with <see cref="Discard"/>.</summary>
    public static void Unmap(byte* address, int length) => _ = UnmapPages((nint)address, (nuint)length);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MapPages(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int UnmapPages(nint address, nuint length);
}
