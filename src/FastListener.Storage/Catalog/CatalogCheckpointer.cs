using FastListener.Storage.Devices;
using Microsoft.Extensions.Logging;

namespace FastListener.Storage.Catalog;

/// <summary>
/// Moves pages from the write-ahead log into the database file on a thread of its own, so that no submission waits for it. Only when the writer
/// keeps so busy that the log never empties does the committer finish the rest itself, between two batches.
/// </summary>
internal sealed class CatalogCheckpointer : IDisposable
{
    private const int BackgroundPages = 2_000;
    private const int ForegroundPages = 16_000;
    private readonly string _path;
    private readonly DiskReserve _reserve;
    private readonly ILogger _logger;
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _thread;
    private int _pagesAtBackground;
    private int _pagesAtForeground;
    private volatile bool _stopping;

    public CatalogCheckpointer(string path, DiskReserve reserve, ILogger logger)
    {
        _path = path;
        _reserve = reserve;
        _logger = logger;
        _thread = new Thread(Run, maxStackSize: 256 * 1024) { IsBackground = true, Name = "catalog checkpoints" };
        _thread.Start();
    }

    /// <summary>Called by the committer when answers are out.</summary>
    public void AfterBatch(CatalogConnection connection)
    {
        var pages = connection.PagesWritten();
        if (pages < _pagesAtBackground)
        {
            (_pagesAtBackground, _pagesAtForeground) = (0, 0); // the catalog was opened anew
        }

        if (pages - _pagesAtForeground >= ForegroundPages)
        {
            (_pagesAtBackground, _pagesAtForeground) = (pages, pages);
            Checkpoint(connection);
        }
        else if (pages - _pagesAtBackground >= BackgroundPages)
        {
            _pagesAtBackground = pages;
            _wake.Set();
        }
    }

    public void Dispose()
    {
        _stopping = true;
        _wake.Set();
        _thread.Join();
        _wake.Dispose();
    }

    private void Run()
    {
        CatalogConnection? connection = null;
        try
        {
            while (_wake.WaitOne() && !_stopping)
            {
                try
                {
                    connection ??= CatalogConnection.OpenForWriting(_path, create: false);
                    Checkpoint(connection);
                }
                catch (Exception fault)
                {
                    Failed(fault); // whatever it is: the thread's end would be the process's
                    connection?.Dispose();
                    connection = null;
                }
            }
        }
        finally
        {
            connection?.Dispose();
        }
    }

    private void Checkpoint(CatalogConnection connection)
    {
        try
        {
            connection.Checkpoint();
        }
        catch (IOException fault)
        {
            Failed(fault);
        }
    }

    private void Failed(Exception fault)
    {
        StoreLog.CheckpointFailed(_logger, fault);
        if (fault is StorageFaultException { Kind: StorageFaultKind.DiskFull })
        {
            _reserve.GiveUp(); // the next one has room
        }
    }
}
