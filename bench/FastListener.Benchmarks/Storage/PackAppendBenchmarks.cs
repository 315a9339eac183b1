using BenchmarkDotNet.Attributes;
using FastListener.Benchmarks.Running;
using FastListener.Storage;
using FastListener.Storage.Devices;
using FastListener.Storage.Packs;
using FastListener.Storage.Payloads;
using FastListener.TestInputs;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastListener.Benchmarks.Storage;

/// <summary>
/// The bytes of a batch appended to a pack and synced; one operation is a batch. The baseline appends the same bytes to one plain file
/// with <see cref="RandomAccess"/> and <c>Flush(true)</c>: what is left of the disk when there is no pack.
/// </summary>
[MemoryDiagnoser]
public class PackAppendBenchmarks
{
    private const int Batches = 32;
    private const int RecordBytes = 22 * 1024; // 20 KiB and 45 attributes

    private readonly LinuxDevice _device = new();
    private AlignedBuffer? _batch;
    private PackWriter? _pack;
    private FileStream? _file;

    [Params(1, 8, 64)]
    public int Batch { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _batch = new((int)PackLayout.Align(PackLayout.BatchHeaderSize + ((long)Batch * RecordBytes)));
        SeededBytes.FillNoise(_batch.Span, 3);
    }

    [GlobalCleanup]
    public void Cleanup() => _batch!.Dispose();

    [IterationSetup(Target = nameof(PlainFile))]
    public void OpenFile() =>
        _file = new FileStream(Path.Combine(DiskRoom.NewDirectory("plain"), "file"), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);

    [IterationCleanup(Target = nameof(PlainFile))]
    public void CloseFile() => _file!.Dispose();

    [IterationSetup(Target = nameof(Buffered))]
    public void OpenBuffered() => OpenPack(direct: false);

    [IterationSetup(Target = nameof(Direct))]
    public void OpenDirect() => OpenPack(direct: true);

    [IterationCleanup(Targets = [nameof(Buffered), nameof(Direct)])]
    public void ClosePack() => _pack!.Dispose();

    [Benchmark(Baseline = true, OperationsPerInvoke = Batches)]
    public void PlainFile()
    {
        for (var i = 0; i < Batches; i++)
        {
            RandomAccess.Write(_file!.SafeFileHandle, _batch!.Span, (long)i * _batch.Size);
            _file.Flush(flushToDisk: true);
        }
    }

    [Benchmark(OperationsPerInvoke = Batches)]
    public void Buffered() => Append();

    [Benchmark(OperationsPerInvoke = Batches)]
    public void Direct() => Append();

    private void Append()
    {
        for (var i = 0; i < Batches; i++)
        {
            _pack!.Begin(new BatchBytes(_batch!, _batch!.Size));
            _pack.WaitDurable();
            _pack.Confirm();
        }

        if (_pack!.End != PackLayout.FileHeaderSize + ((long)Batches * _batch!.Size))
        {
            throw new InvalidOperationException("The pack has another length.");
        }
    }

    private void OpenPack(bool direct)
    {
        var layout = new StoreLayout(DiskRoom.NewDirectory("pack"));
        Directory.CreateDirectory(layout.Packs);
        _pack = new PackWriter(layout, _device, instance: 1, direct, NullLogger.Instance);
        _pack.Create(1, now: 0);
    }
}
