using System.Buffers;
using Microsoft.AspNetCore.Connections;

namespace FastListener.Hosting.Transport;

/// <summary>
/// The memory behind every connection: one pool of large blocks for both transports, Kestrel's pipes and its TLS adaptor. A singleton
/// of the service provider, which disposes it last.
/// </summary>
internal sealed class PooledBlockFactory : IMemoryPoolFactory<byte>, IDisposable
{
    private readonly BlockPool _pool;
    private readonly Lender _lender;
    private readonly ITimer _trimming;

    public PooledBlockFactory(TransportOptions options, TimeProvider clock)
    {
        // Kestrel's socket transport hands its blocks to the kernel as array segments and fails without.
        // Its pipes also hold more blocks, and arrays are dearer to make: retaining as little as for our own made 170 KB of garbage per MiB.
        _pool = options.Transport is TransportKind.Kestrel
            ? new BlockPool(options.BlockSize, options.RetainedBytes * 8, arrays: true)
            : new BlockPool(options.BlockSize, options.RetainedBytes, arrays: false);
        _lender = new Lender(_pool);
        _trimming = clock.CreateTimer(static pool => ((BlockPool)pool!).Trim(), _pool, options.TrimInterval, options.TrimInterval);
    }

    /// <summary>The pool itself.</summary>
    public BlockPool Blocks => _pool;

    /// <summary>
    /// The one shared pool. Whoever gets it may dispose it (Kestrel does, with each endpoint): that leaves it usable, because
    /// connections that wind down still hold blocks of it.
    /// </summary>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => _lender;

    public void Dispose()
    {
        _trimming.Dispose();
        _pool.Dispose();
    }

    private sealed class Lender(BlockPool pool) : MemoryPool<byte>
    {
        public override int MaxBufferSize => pool.MaxBufferSize;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => pool.Rent(minBufferSize);

        protected override void Dispose(bool disposing)
        {
            // The factory owns the memory.
        }
    }
}
