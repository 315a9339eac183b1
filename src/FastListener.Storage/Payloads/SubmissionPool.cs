using FastListener.Storage.Commit;

namespace FastListener.Storage.Payloads;

/// <summary>What submissions are made of, to use again, and what all of them share.</summary>
internal sealed class SubmissionPool(StoreOptions options, FileQueue files, Accounts accounts, TimeProvider time)
{
    private const int BlockBytes = 32 * 1024;
    private const int Kept = 256;
    private const int MostInline = 64 * 1024 * 1024; // with as much metadata a record's length is still an int
    private readonly Lock _lock = new();
    private readonly Stack<SubmissionParts> _free = new(Kept);
    private long _memorySpills;

    public BlockPool Blocks { get; } = new(BlockBytes, options.PayloadMemoryBytes);

    public FileQueue Files { get; } = files;

    public Accounts Accounts { get; } = accounts;

    /// <summary>The account of a submission that names none.</summary>
    public Account Nobody { get; } = accounts.Get(string.Empty);

    public int InlineLimit { get; } = Math.Min(options.InlineLimitBytes, MostInline);

    /// <summary>Payloads up to this size may pass the limit, so that a crowd of small attachments does not become a crowd of files.</summary>
    public int SmallPayload { get; } = options.InlineLimitBytes / 16;

    public int InlineCeiling { get; } = (int)Math.Min(options.InlineLimitBytes * 4L, MostInline);

    public TimeSpan MemoryWait { get; } = options.PayloadMemoryWait;

    public long MemorySpills => Volatile.Read(ref _memorySpills);

    public void CountMemorySpill() => Interlocked.Increment(ref _memorySpills);

    public Submission Begin()
    {
        SubmissionParts? parts;
        lock (_lock)
        {
            _free.TryPop(out parts);
        }

        return new(parts ?? new(this), time.GetUtcNow());
    }

    public void Return(SubmissionParts parts)
    {
        lock (_lock)
        {
            if (_free.Count < Kept)
            {
                _free.Push(parts);
            }
        }
    }
}
