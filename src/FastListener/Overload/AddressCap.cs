using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace FastListener.Overload;

/// <summary>
/// Counts connections by the address they come from. Of IPv6 the first 64 bits count: a single sender has them all. Off unless the
/// operator sets a limit, because carriers and proxies share addresses.
/// </summary>
internal sealed class AddressCap(int limit)
{
    private readonly ConcurrentDictionary<UInt128, int> _open = new();

    /// <summary>Counts a connection. False when its address has as many as it may; then nothing was counted.</summary>
    public bool TryEnter(IPAddress? address)
    {
        if (limit == 0 || address is null)
        {
            return true;
        }

        var key = KeyOf(address);
        while (true)
        {
            var count = _open.GetOrAdd(key, 0);
            if (count >= limit)
            {
                return false;
            }

            if (_open.TryUpdate(key, count + 1, count))
            {
                return true;
            }
        }
    }

    /// <summary>A connection that was counted has ended.</summary>
    public void Leave(IPAddress? address)
    {
        if (limit == 0 || address is null)
        {
            return;
        }

        var key = KeyOf(address);
        while (_open.TryGetValue(key, out var count))
        {
            // The last one takes the entry with it, or every address ever seen would stay.
            if (count > 1 ? _open.TryUpdate(key, count - 1, count) : _open.TryRemove(new KeyValuePair<UInt128, int>(key, count)))
            {
                return;
            }
        }
    }

    /// <summary>What an address counts as.</summary>
    internal static UInt128 KeyOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        var mapped = address.IsIPv4MappedToIPv6;
        address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily is AddressFamily.InterNetworkV6 && !mapped)
        {
            bytes[8..].Clear();
        }
        else if (mapped)
        {
            bytes[12..].CopyTo(bytes);
            bytes[4..].Clear();
        }

        // An IPv4 address and an IPv6 network are never the same key.
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes) | (mapped || address.AddressFamily is AddressFamily.InterNetwork ? 1u : 0u);
    }
}
