using System.Buffers;
using Microsoft.Extensions.Logging;

namespace FastListener.Hosting.Transport;

/// <summary>What a listener and its connections share.</summary>
internal sealed record ListenerContext(
    TransportOptions Options,
    BlockPool Blocks,
    MemoryPool<byte> Memory,
    ConnectionPlaces Places,
    TimeProvider Clock,
    ILogger Logger);
