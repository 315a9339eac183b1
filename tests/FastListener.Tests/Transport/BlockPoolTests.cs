using System.Buffers;
using System.Runtime.InteropServices;
using FastListener.Hosting.Transport;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace FastListener.Transport;

/// <summary>Blocks are large, are reused, and give their memory back.</summary>
public class BlockPoolTests
{
    private const int Size = 64 * 1024;

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(Size)]
    public void Whatever_is_asked_for_a_whole_block_is_given(int asked)
    {
        using var pool = new BlockPool(Size, Size, arrays: false);
        using var owner = pool.Rent(asked);
        Assert.Equal(Size, owner.Memory.Length);
    }

    [Fact]
    public unsafe void A_kernel_that_does_not_take_memory_back_ends_nothing()
    {
        var unaligned = (byte*)1; // refused, as locked pages are
        AnonymousMemory.Discard(unaligned, Size);
        AnonymousMemory.Unmap(unaligned, Size);
    }

    [Fact]
    public void More_than_a_block_is_refused_by_Rent_and_made_for_once_by_RentBlock()
    {
        using var pool = new BlockPool(Size, 10 * Size, arrays: false);
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(Size + 1));
        var block = pool.RentBlock(Size + 1);
        Assert.Equal(Size + 1, block.Memory.Length);
        block.Return();
        Assert.Equal(0, pool.RetainedBytes);
        Assert.Equal(0, pool.RentedBlocks);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_block_returned_last_is_given_first(bool arrays)
    {
        using var pool = new BlockPool(Size, 10 * Size, arrays);
        Block first = pool.RentBlock(), second = pool.RentBlock();
        first.Return();
        second.Return();
        Assert.Same(second, pool.RentBlock());
        Assert.Same(first, pool.RentBlock());
    }

    [Fact]
    public void Memory_of_a_returned_block_cannot_be_touched()
    {
        using var pool = new BlockPool(Size, Size, arrays: false);
        var block = pool.RentBlock();
        var memory = block.Memory;
        block.Return();
        Assert.Throws<ObjectDisposedException>(() => memory.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => memory.Pin());
    }

    [Fact]
    public void Returning_twice_does_not_give_a_block_to_two_owners()
    {
        using var pool = new BlockPool(Size, 10 * Size, arrays: false);
        var block = pool.RentBlock();
        block.Return();
        ((IDisposable)block).Dispose();
        Assert.Equal(0, pool.RentedBlocks);
        Assert.NotSame(pool.RentBlock(), pool.RentBlock());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void After_a_burst_no_more_than_the_retained_amount_is_kept(bool arrays)
    {
        using var pool = new BlockPool(Size, 4 * Size, arrays);
        Burst(pool, 100);
        Assert.Equal(4 * Size, pool.RetainedBytes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_lies_idle_for_a_whole_interval_is_given_back_and_what_was_used_is_kept(bool arrays)
    {
        var clock = new FakeTimeProvider();
        var options = new TransportOptions { RetainedBytes = 100 * Size, Transport = arrays ? TransportKind.Kestrel : TransportKind.Own };
        using var factory = new PooledBlockFactory(options, clock);
        Burst(factory.Blocks, 50);
        Assert.Equal(50 * Size, factory.Blocks.RetainedBytes);

        clock.Advance(options.TrimInterval); // the burst was in this interval
        Burst(factory.Blocks, 10);
        clock.Advance(options.TrimInterval);
        Assert.Equal(10 * Size, factory.Blocks.RetainedBytes);

        clock.Advance(options.TrimInterval);
        Assert.Equal(0, factory.Blocks.RetainedBytes);
    }

    [Fact]
    public void Given_back_means_the_kernel_has_the_pages()
    {
        Assert.SkipUnless(AnonymousMemory.IsSupported, "Blocks are pages on Linux only.");
        using var pool = new BlockPool(Size, 0, arrays: false);
        var block = pool.RentBlock();
        block.GetSpan().Fill(0xFF);
        block.Return();
        Assert.Same(block, pool.RentBlock());
        Assert.Equal(-1, block.GetSpan().IndexOfAnyExcept((byte)0)); // fresh pages are zero
    }

    [Fact]
    public void A_thousand_blocks_touched_and_given_back_leave_no_resident_memory()
    {
        Assert.SkipUnless(AnonymousMemory.IsSupported, "Blocks are pages on Linux only.");
        using var pool = new BlockPool(Size, 0, arrays: false);
        var blocks = Enumerable.Range(0, 1000).Select(_ => pool.RentBlock()).ToList();
        blocks.ForEach(block => block.GetSpan().Fill(1));
        var addresses = blocks.Select(block => { unsafe { return (nint)block.Pin().Pointer; } }).ToList();
        Assert.All(addresses, address => Assert.Equal(Size / 4096, ResidentPages(address)));
        blocks.ForEach(block => block.Return());
        Assert.All(addresses, address => Assert.Equal(0, ResidentPages(address)));
    }

    [Fact]
    public void Blocks_of_arrays_can_be_sent_as_array_segments_and_pages_cannot()
    {
        using var arrays = new BlockPool(Size, 0, arrays: true);
        using var pages = new BlockPool(Size, 0, arrays: false);
        var block = arrays.RentBlock();
        block.GetSpan()[5] = 42;
        Assert.True(MemoryMarshal.TryGetArray<byte>(block.Memory[5..10], out var segment));
        Assert.Equal((42, 5), (segment[0], segment.Count));
        Assert.Equal(!AnonymousMemory.IsSupported, MemoryMarshal.TryGetArray<byte>(pages.RentBlock().Memory, out _));
    }

    [Fact]
    public void The_pool_a_listener_was_given_works_after_the_listener_disposed_it()
    {
        using var factory = new PooledBlockFactory(new TransportOptions(), TimeProvider.System);
        var first = factory.Create();
        using var held = first.Rent();
        first.Dispose();
        held.Memory.Span[0] = 1;
        using var another = factory.Create().Rent();
        Assert.Equal(2, factory.Blocks.RentedBlocks);
    }

    [Fact]
    public void A_block_that_comes_back_after_its_pool_was_closed_is_no_error()
    {
        var pool = new BlockPool(Size, 10 * Size, arrays: false);
        var block = pool.RentBlock();
        pool.Dispose();
        block.Return();
        Assert.Equal(0, pool.RetainedBytes);
    }

    [Fact]
    public void Threads_never_share_a_block()
    {
        using var pool = new BlockPool(Size, 2 * Size, arrays: false);
        Parallel.For(0, 8, worker =>
        {
            for (var i = 0; i < 2000; i++)
            {
                var block = pool.RentBlock();
                var span = block.GetSpan()[..64];
                span.Fill((byte)worker);
                Thread.SpinWait(20);
                Assert.Equal(-1, span.IndexOfAnyExcept((byte)worker));
                block.Return();
                if (i % 100 == 0)
                {
                    pool.Trim();
                }
            }
        });
        Assert.Equal(0, pool.RentedBlocks);
    }

    private static void Burst(BlockPool pool, int count)
    {
        var blocks = Enumerable.Range(0, count).Select(_ => pool.RentBlock()).ToList();
        blocks.ForEach(block => block.Return());
    }

    private static unsafe int ResidentPages(nint address)
    {
        var pages = stackalloc byte[Size / 4096];
        Assert.Equal(0, InCore(address, Size, pages));
        return new Span<byte>(pages, Size / 4096).Count((byte)1);
    }

    [DllImport("libc", EntryPoint = "mincore")]
    private static extern unsafe int InCore(nint address, nuint length, byte* pages);
}
