using System.IO.Hashing;
using Microsoft.Extensions.Logging;

namespace FastListener.Tokens;

/// <summary>What a look at the file led to.</summary>
internal enum TokenRefresh
{
    /// <summary>The file holds what the table was made from.</summary>
    Unchanged,

    /// <summary>A new table is in force.</summary>
    Replaced,

    /// <summary>The file is missing, unreadable or has faults: the table stays as it was.</summary>
    Kept,
}

/// <summary>
/// Holds the token table in force and replaces it whole when tokens.json changes. Look-ups take no lock and see the
/// old table or the new one. A file that cannot be used changes nothing and is complained of once.
/// </summary>
/// <remarks>
/// Looks at the file's size and time of change at every interval, which costs one system call. Because two edits within
/// one tick of the file system's clock look alike, a file changed within the last <see cref="Settling"/> is read again,
/// and so is any file every <see cref="Rereading"/>; what has been read before is recognised by a hash.
/// </remarks>
internal sealed class TokenRefresher : IAsyncDisposable
{
    public static readonly TimeSpan DefaultInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Rereading = TimeSpan.FromSeconds(30);

    private readonly Lock _refreshing = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly string _path;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock;
    private readonly Task _watching;
    private TokenTable _table = TokenTable.Empty;
    private UInt128 _seen;
    private (DateTime ChangedAt, long Length) _stamp;
    private long _readAt;
    private Complaint _complaint;

    /// <summary>What is wrong with the file and has been said.</summary>
    private enum Complaint
    {
        None,
        Invalid,
        Missing,
        Unreadable,
    }

    private TokenRefresher(string dataDirectory, ILogger logger, TimeProvider clock, TimeSpan interval)
    {
        _path = TokenFile.PathIn(dataDirectory);
        _logger = logger;
        _clock = clock;
        if (File.Exists(_path))
        {
            var utf8 = File.ReadAllBytes(_path);
            Use(TokenFile.Parse(_path, utf8), utf8);
        }

        _watching = WatchAsync(interval);
    }

    /// <summary>Raised after a swap, on whichever thread found the change, once at a time. Handlers must not throw.</summary>
    public event Action<TokenTable>? Replaced;

    /// <summary>The table in force. Take it once per question; the next read may give its successor.</summary>
    public TokenTable Table => Volatile.Read(ref _table);

    /// <summary>Loads the file and starts watching it. A missing file is an empty table until there is one.</summary>
    /// <exception cref="TokenFileException">The file has faults: at start there is no earlier table to keep.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static TokenRefresher Start(string dataDirectory, ILogger logger, TimeProvider clock, TimeSpan? interval = null) =>
        new(dataDirectory, logger, clock, interval ?? DefaultInterval);

    /// <summary>Reads the file now, whatever its time stamp says.</summary>
    public TokenRefresh RefreshNow()
    {
        lock (_refreshing)
        {
            return Refresh();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private async Task WatchAsync(TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval, _clock);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                lock (_refreshing)
                {
                    Look();
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Disposed.
        }
    }

    private void Look()
    {
        try
        {
            if (MayHaveChanged())
            {
                Refresh();
            }
        }
        catch (Exception fault)
        {
            KeepWithout(Complaint.Unreadable, fault); // whatever it is: were the watch to end over it, tokens could no longer be revoked
        }
    }

    private bool MayHaveChanged()
    {
        var stamp = StampOf(_path);
        return stamp != _stamp
            || (_clock.GetUtcNow().UtcDateTime - stamp.ChangedAt).Duration() < Settling
            || _clock.GetElapsedTime(_readAt) > Rereading;
    }

    private TokenRefresh Refresh()
    {
        byte[] utf8;
        try
        {
            _readAt = _clock.GetTimestamp();
            _stamp = StampOf(_path); // before the content: a change in between is seen next time
            utf8 = File.ReadAllBytes(_path);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return KeepWithout(Complaint.Missing, missing);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return KeepWithout(Complaint.Unreadable, failure);
        }

        var hash = XxHash128.HashToUInt128(utf8);
        if (hash == _seen)
        {
            return _complaint is Complaint.None ? TokenRefresh.Unchanged : TokenRefresh.Kept;
        }

        if (!TokenDocumentReader.TryRead(utf8, out var document, out var faults))
        {
            _seen = hash;
            _complaint = Complaint.Invalid;
            TokenLog.Invalid(_logger, _path, string.Join("; ", faults));
            return TokenRefresh.Kept;
        }

        Use(document, utf8);
        Replaced?.Invoke(Table);
        return TokenRefresh.Replaced;
    }

    private TokenRefresh KeepWithout(Complaint complaint, Exception failure)
    {
        if (_complaint != complaint)
        {
            _complaint = complaint;
            if (complaint is Complaint.Missing)
            {
                TokenLog.Missing(_logger, _path);
            }
            else
            {
                TokenLog.Unreadable(_logger, failure, _path);
            }
        }

        _seen = default; // when it comes back it is read afresh, whatever it holds
        return TokenRefresh.Kept;
    }

    private void Use(TokenDocument document, byte[] utf8)
    {
        var table = new TokenTable(document.Tokens, _table);
        Volatile.Write(ref _table, table);
        _seen = XxHash128.HashToUInt128(utf8);
        _complaint = Complaint.None;
        var enabled = table.Grants.Count(grant => grant.Enabled);
        TokenLog.Loaded(_logger, enabled, table.Count - enabled, _path);
    }

    private static (DateTime ChangedAt, long Length) StampOf(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? (file.LastWriteTimeUtc, file.Length) : default;
    }
}
