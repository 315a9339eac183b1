using System.Diagnostics;
using FastListener.Storage.Packs;
using FastListener.Storage.Payloads;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastListener.Storage.Tests;

public class PackWriterTests
{
    [Fact]
    public void A_batch_is_written_before_it_is_called_written_however_soon_it_follows_the_last()
    {
        const int Length = 512 * 1024; // long enough for the writer's own thread
        var device = new CountingDevice();
        using var writer = new PackWriter(new StoreLayout("/nowhere"), device, 1, direct: false, NullLogger.Instance);
        writer.Create(1, 0);
        using var buffer = new AlignedBuffer(Length);

        // The two threads meet at a few instructions: only many turns, next to busy neighbours that take the processor away, find them there.
        using var over = new CancellationTokenSource();
        var neighbours = Enumerable.Range(0, 2 * Environment.ProcessorCount).Select(_ => new Thread(() => Spin(over.Token)) { IsBackground = true }).ToArray();
        foreach (var neighbour in neighbours)
        {
            neighbour.Start();
        }

        try
        {
            var watch = Stopwatch.StartNew();
            var expected = device.Written;
            for (var turn = 0; turn < 200_000 && watch.Elapsed < TimeSpan.FromSeconds(3); turn++)
            {
                writer.Begin(new BatchBytes(buffer, Length));
                writer.WaitWritten();
                expected += Length;
                Assert.Equal(expected, device.Written);
                writer.WaitDurable();
                writer.Confirm();
            }
        }
        finally
        {
            over.Cancel();
        }

        foreach (var neighbour in neighbours)
        {
            neighbour.Join();
        }
    }

    private static void Spin(CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            Thread.SpinWait(100);
        }
    }

    /// <summary>A disk that only counts.</summary>
    private sealed class CountingDevice : StorageDevice
    {
        private long _written;

        public long Written => Volatile.Read(ref _written);

        public override StorageFile Create(string path, bool direct) => new CountingFile(this);

        public override StorageFile OpenExisting(string path) => new CountingFile(this);

        public override bool CreateDirectory(string path) => true;

        public override void SyncDirectory(string path)
        {
        }

        public override void Rename(string source, string target)
        {
        }

        public override void Delete(string path)
        {
        }

        public override void DeleteDirectory(string path)
        {
        }

        public override bool SupportsDirect(string directory) => false;

        public override (long Total, long Free) Space(string directory) => (0, 0);

        public override (long Total, long Free) Files(string directory) => (0, 0);

        private sealed class CountingFile(CountingDevice device) : StorageFile
        {
            public override void BecomeBuffered()
            {
            }

            public override void Write(ReadOnlySpan<byte> bytes, long offset) => Volatile.Write(ref device._written, device._written + bytes.Length);

            public override void SyncData()
            {
            }

            public override void SetLength(long length)
            {
            }

            public override void Allocate(long length)
            {
            }

            public override void StartWriteBack(long offset, long length)
            {
            }

            public override void DropBehind(long offset, long length)
            {
            }

            protected override void Dispose(bool disposing)
            {
            }
        }
    }
}
