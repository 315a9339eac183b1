using Microsoft.Extensions.Logging;

namespace FastListener.Storage.Devices;

/// <summary>
/// Space that is held back so that the catalog can be written, packs ended and things deleted when the file system is full: a file whose blocks are
/// all allocated. It is given up when the disk is full, but for its last quarter, which only a start may have; from then on nothing new is stored, so
/// that it serves what it was held for. It is taken back when as much again would stay free. Several processes may share it. Any thread.
/// </summary>
internal sealed class DiskReserve
{
    private const long Least = 4L * 1024 * 1024; // a start, and a checkpoint of a few thousand pages
    private const long LeastStep = 64 * 1024;
    private const long EnoughFree = 20L * 1024 * 1024 * 1024;
    private const int FilesOfStart = 8; // the catalog's log and shared memory, a staging directory and its lock, the reserve, a pack, a socket, one to spare
    private const double EnoughFreeFiles = 100_000;
    private const int Mebibyte = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly StoreLayout _layout;
    private readonly StorageDevice _device;
    private readonly StoreOptions _options;
    private readonly ILogger _logger;
    private readonly long _target;
    private volatile bool _isFull;
    private bool _isLow;
    private bool _isShortOfFiles;
    private bool _isUnknown;
    private bool _isRefused;
    private bool _hasLooked;
    private object _space = default(DiskSpace);

    public DiskReserve(StoreLayout layout, StorageDevice device, StoreOptions options, ILogger logger)
    {
        _layout = layout;
        _device = device;
        _options = options;
        _logger = logger;
        if (Measure() is var (total, _))
        {
            _target = Math.Min(options.ReserveBytes, Math.Max(total / 100, Least)) / LeastStep * LeastStep;
        }
    }

    /// <summary>What was found when it was last looked at.</summary>
    public DiskSpace Space => (DiskSpace)Volatile.Read(ref _space);

    /// <summary>True while nothing new may be stored; looks whether it is still so.</summary>
    public bool IsFull
    {
        get
        {
            if (_isFull)
            {
                lock (_gate)
                {
                    Look();
                }
            }

            return _isFull;
        }
    }

    private long Kept => _target / 4;

    private long Held => new FileInfo(_layout.Reserve) is { Exists: true, Length: var length } ? length : 0;

    /// <exception cref="StorageFaultException">The disk is full.</exception>
    public void ThrowIfFull()
    {
        if (IsFull)
        {
            throw new StorageFaultException(StorageFaultKind.DiskFull, "The disk is full; what is left of it is kept for the catalog.");
        }
    }

    /// <summary>The disk has refused something for lack of space that must not be refused.</summary>
    public void GiveUp()
    {
        lock (_gate)
        {
            Look();
            if (!_isFull && _target > 0 && !Space.IsOutOfFiles) // room is not what is missing then
            {
                GiveUp(Kept);
            }
        }
    }

    /// <summary>Before a start, which has to write a little: gives up all of it when there is no room for that.</summary>
    /// <exception cref="StorageFaultException">The file system cannot hold the files that a start makes; no reserve helps against that.</exception>
    public void MakeRoomForStart()
    {
        lock (_gate)
        {
            if (MeasureFiles() is (> 0, < FilesOfStart) files)
            {
                throw new StorageFaultException(
                    StorageFaultKind.DiskFull, $"The file system of {_layout.Data} can hold {files.Free} further files (inodes), and a start needs up to {FilesOfStart}.");
            }

            if (_target > 0 && Held > 0 && Measure() is var (_, free) && free < Least)
            {
                GiveUp(0);
            }
        }
    }

    /// <summary>Once a second: looks at the disk, says when it runs short, and takes back what was given up.</summary>
    public void Keep()
    {
        if (!_gate.TryEnter())
        {
            return; // the disk hangs, or somebody else looks
        }

        try
        {
            Look();
            Warn();
            if (Space is { Total: > 0, Free: var free })
            {
                var held = Held;
                var wanted = !_isFull ? free - (_target - held) >= _target ? _target : held : Math.Max(held, Math.Min(Kept, held + (free / 2)));
                if (_target < held && !_hasLooked)
                {
                    Resize(_target); // it was larger once
                }
                else if (wanted - held >= LeastStep)
                {
                    Resize(wanted / 4096 * 4096);
                }

                _hasLooked = true;
            }
        }
        catch (Exception fault)
        {
            ResizeFailed(_target, fault); // nobody above a timer could take it, and the process would end
        }
        finally
        {
            _gate.Exit();
        }
    }

    private void GiveUp(long kept)
    {
        var held = Held;
        _isFull = true;
        Resize(Math.Min(held, kept));

        StoreLog.ReserveGivenUp(_logger, (held - Held) / Mebibyte, ((2 * _target) - Held) / Mebibyte);
    }

    private void Look()
    {
        if (Measure() is not var (total, free))
        {
            return;
        }

        var held = Held;
        var fits = free - (_target - held) >= _target;
        if (_isFull && fits)
        {
            _isFull = false;
            StoreLog.NoLongerFull(_logger, free / Mebibyte);
        }
        else if (held < Space.Reserve && !fits)
        {
            _isFull = true; // another process has given it up
        }

        var files = MeasureFiles();
        Volatile.Write(ref _space, new DiskSpace(total, free, held, _isFull, files.Total, files.Free));
    }

    private void Warn()
    {
        if (Space is not { Total: > 0 } space)
        {
            return;
        }

        var least = Math.Min(space.Total / 100 * _options.WarnFreePercent, EnoughFree);
        if (!_isLow && space.Free < least)
        {
            _isLow = true;
            StoreLog.SpaceLow(_logger, space.Free / Mebibyte, space.Total / Mebibyte, _layout.Data);
        }
        else if (_isLow && space.Free >= least / 4 * 5)
        {
            _isLow = false;
            StoreLog.SpaceBack(_logger, space.Free / Mebibyte);
        }

        WarnOfFiles(space);
    }

    private void WarnOfFiles(in DiskSpace space)
    {
        var least = Math.Min(space.Files / 100.0 * _options.WarnFreePercent, EnoughFreeFiles);
        if (!_isShortOfFiles && space.FreeFiles < least)
        {
            _isShortOfFiles = true;
            StoreLog.FilesLow(_logger, space.FreeFiles, space.Files, _layout.Data);
        }
        else if (_isShortOfFiles && space.FreeFiles >= least * 1.25)
        {
            _isShortOfFiles = false;
            StoreLog.FilesBack(_logger, space.FreeFiles);
        }
    }

    private (long Total, long Free) MeasureFiles()
    {
        try
        {
            return _device.Files(_layout.Data);
        }
        catch (StorageFaultException)
        {
            return default; // not known: the file system is asked for its bytes in the same way, and that is told of
        }
    }

    private (long Total, long Free)? Measure()
    {
        try
        {
            var space = _device.Space(_layout.Data);
            _isUnknown = false;
            return space;
        }
        catch (StorageFaultException fault)
        {
            if (!_isUnknown)
            {
                _isUnknown = true;
                StoreLog.SpaceUnknown(_logger, _layout.Data, fault);
            }

            return null;
        }
    }

    private void Resize(long length)
    {
        var held = Held;
        try
        {
            if (length == 0)
            {
                _device.Delete(_layout.Reserve);
            }
            else
            {
                using var file = held == 0 && !File.Exists(_layout.Reserve)
                    ? _device.Create(_layout.Reserve, direct: false)
                    : _device.OpenExisting(_layout.Reserve);
                Resize(file, held, length);
            }

            _isRefused = false;
        }
        catch (StorageFaultException fault)
        {
            ResizeFailed(length, fault);
        }

        Look();
    }

    private void ResizeFailed(long length, Exception fault)
    {
        if (!_isRefused)
        {
            StoreLog.ReserveFailed(_logger, length, fault);
        }

        _isRefused = true;
    }

    private static void Resize(StorageFile file, long held, long length)
    {
        if (length <= held)
        {
            file.SetLength(length);
            return;
        }

        try
        {
            file.Allocate(length);
        }
        catch (StorageFaultException)
        {
            file.SetLength(held); // what was allocated of it is given back
            throw;
        }
    }
}
