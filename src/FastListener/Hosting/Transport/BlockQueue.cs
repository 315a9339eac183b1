using System.Diagnostics;

namespace FastListener.Hosting.Transport;

/// <summary>
/// What is written and not yet sent: blocks, of which the last is written to and the first is sent from. Every call is made under the connection's gate;
/// a block that the writer has been lent stays, even if all of it is sent.
/// </summary>
internal sealed class BlockQueue(BlockPool blocks)
{
    private Block? _first;
    private Block? _last;
    private bool _lent; // the writer holds memory of _last

    public bool IsEmpty => _first is null or { Count: 0 };

    /// <summary>Lends the last block, with at least so many bytes of room behind its end.</summary>
    public Block Lend(int sizeHint)
    {
        var block = _last;
        if (block is null || block.Length - block.End < Math.Max(sizeHint, 1))
        {
            block = blocks.RentBlock(sizeHint);
            if (_last is null)
            {
                _first = block;
            }
            else
            {
                _last.Next = block;
            }

            _last = block;
        }

        _lent = true;
        return block;
    }

    /// <summary>Takes the lent block back, with so many bytes written. False when it was not lent, or has less room.</summary>
    public bool TryTakeBack(int written)
    {
        if (_last is not { } block || !_lent || (uint)written > (uint)(block.Length - block.End))
        {
            return false;
        }

        _lent = false;
        block.End += written;
        return true;
    }

    /// <summary>Nothing more will be written.</summary>
    public void EndLoan() => _lent = false;

    /// <summary>The block to send from; null when nothing is to be sent.</summary>
    public Block? Next()
    {
        while (_first is { Count: 0 } block)
        {
            if (!TryRemove(block))
            {
                return null;
            }
        }

        return _first;
    }

    /// <summary>So much of the first block is sent.</summary>
    public void Sent(int count)
    {
        var block = _first!;
        Debug.Assert(count <= block.Count, "Only the first block of the queue is ever sent from.");
        block.Start += count;
        if (block.Count == 0)
        {
            TryRemove(block);
        }
    }

    /// <summary>Drops what is not sent: the connection is over.</summary>
    public void Drop()
    {
        while (_first is { } block && TryRemove(block))
        {
        }

        if (_first is { } kept)
        {
            kept.Start = kept.End; // the writer still holds its memory
        }
    }

    /// <summary>Gives back the first block, unless the writer holds its memory.</summary>
    private bool TryRemove(Block block)
    {
        if (block == _last)
        {
            if (_lent)
            {
                return false;
            }

            _last = null;
        }

        _first = block.Next;
        block.Return();
        return true;
    }
}
