using Microsoft.Win32.SafeHandles;

namespace FastListener.Storage.Packs;

/// <summary>A file of which some places may not be readable: what the disk does not give is told, and the rest can be read. One thread at a time.</summary>
/// <param name="path">The file. Opening it throws when that cannot be done.</param>
/// <param name="tell">Takes each place where a read failed, and why. It may throw.</param>
internal class LenientFile(string path, Action<long, string> tell) : IDisposable
{
    private const long LargestStep = 1024 * 1024;
    private readonly SafeFileHandle _file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);

    public virtual long Length => RandomAccess.GetLength(_file);

    /// <summary>Whether the last read came upon a place that cannot be read. Otherwise it was short because the file ended.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Fills the span as far as the file goes and can be read.</summary>
    public int Read(Span<byte> destination, long offset)
    {
        HasFailed = false;
        var done = 0;
        try
        {
            for (int read; done < destination.Length && (read = ReadSome(destination[done..], offset + done)) > 0; done += read)
            {
            }

            return done;
        }
        catch (IOException exception)
        {
            HasFailed = true;
            tell(offset + done, exception.Message);
            return done;
        }
    }

    /// <summary>Whether there is nothing but zeros from one place to another, or to the end of the file.</summary>
    public bool IsZero(long from, long to)
    {
        var bytes = new byte[64 * 1024];
        for (int read; from < to; from += read)
        {
            read = Read(bytes.AsSpan(0, (int)Math.Min(bytes.Length, to - from)), from);
            if (HasFailed || bytes.AsSpan(0, read).ContainsAnyExcept((byte)0))
            {
                return false;
            }

            if (read == 0)
            {
                break;
            }
        }

        return true;
    }

    /// <summary>
    /// Where the file can be read again after a place where a read failed; the limit when it cannot before that. A disk takes its time over each place
    /// that it cannot read, so the steps grow, and the end of what is dead is then found by halving.
    /// </summary>
    public long AfterFailure(long offset, long limit)
    {
        var dead = offset & ~(PackLayout.Alignment - 1L);
        var live = dead + PackLayout.Alignment;
        for (long step = PackLayout.Alignment; live < limit && !IsReadable(live); live += step)
        {
            dead = live;
            step = Math.Min(step * 2, LargestStep);
        }

        live = Math.Min(live, limit);
        while (live - dead > PackLayout.Alignment)
        {
            var middle = dead + PackLayout.Align((live - dead) / 2);
            if (IsReadable(middle))
            {
                live = middle;
            }
            else
            {
                dead = middle;
            }
        }

        return live;
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => _file.Dispose();

    /// <summary>One read, as the system makes it.</summary>
    protected virtual int ReadSome(Span<byte> destination, long offset) => RandomAccess.Read(_file, destination, offset);

    private bool IsReadable(long offset)
    {
        Span<byte> one = stackalloc byte[1];
        Read(one, offset);
        return !HasFailed;
    }
}
