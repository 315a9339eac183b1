using System.Net;
using System.Net.Sockets;

namespace FastListener.Intake;

/// <summary>
/// Counts wrong tokens by sender and says how long the answer to them is held back, be it a 403 or another. A valid token's answer is
/// never delayed, whoever else shares its address: phones behind one carrier do.
/// </summary>
/// <remarks>
/// A fixed table: senders that fall into the same slot share their count, which costs a stranger's wrong guess a
/// little more delay and nothing else. An IPv6 sender is its /64 network.
/// </remarks>
internal sealed class TokenGuesses(TimeProvider time)
{
    private const int Slots = 4096;
    private const int Free = 20;
    private const int MaxHeld = 512;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(2);

    private readonly long[] _slots = new long[Slots];
    private readonly int _seed = Random.Shared.Next();
    private long _wrong;
    private int _held;

    /// <summary>Wrong tokens since the start.</summary>
    public long Wrong => Interlocked.Read(ref _wrong);

    /// <summary>Counts a wrong token. Completes after the delay that this sender's earlier guesses have earned.</summary>
    public ValueTask CountAsync(IPAddress? sender)
    {
        Interlocked.Increment(ref _wrong);
        if (sender is null)
        {
            return ValueTask.CompletedTask;
        }

        var minute = (int)(time.GetUtcNow().ToUnixTimeSeconds() / 60);
        ref var slot = ref _slots[Slot(sender)];
        long seen;
        long counted;
        do
        {
            // The minute above, the count below: a new minute forgets half of the last one's guesses.
            seen = Volatile.Read(ref slot);
            var age = minute - (int)(seen >> 32);
            var count = age == 0 ? (uint)seen : age == 1 ? (uint)seen / 2 : 0;
            counted = ((long)minute << 32) | Math.Min(count + 1, 1_000_000);
        }
        while (Interlocked.CompareExchange(ref slot, counted, seen) != seen);

        var over = (uint)counted - Free;
        return (uint)counted <= Free ? ValueTask.CompletedTask : HoldAsync(TimeSpan.FromTicks(Math.Min(Step.Ticks * over, Most.Ticks)));
    }

    private async ValueTask HoldAsync(TimeSpan delay)
    {
        // Held answers occupy connections; beyond a few hundred an attacker gets its no at once instead of our memory.
        if (Interlocked.Increment(ref _held) <= MaxHeld)
        {
            await Task.Delay(delay, time);
        }

        Interlocked.Decrement(ref _held);
    }

    private int Slot(IPAddress sender)
    {
        Span<byte> bytes = stackalloc byte[16];
        sender.TryWriteBytes(bytes, out var length);
        var significant = sender.AddressFamily is AddressFamily.InterNetworkV6 && !sender.IsIPv4MappedToIPv6 ? 8 : length;
        var hash = new HashCode();
        hash.Add(_seed);
        hash.AddBytes(bytes[..significant]);
        return hash.ToHashCode() & (Slots - 1);
    }
}
