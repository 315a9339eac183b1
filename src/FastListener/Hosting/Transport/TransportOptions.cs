namespace FastListener.Hosting.Transport;

/// <summary>Who moves bytes between sockets and connection handlers.</summary>
internal enum TransportKind
{
    /// <summary>This folder: receives straight into one contiguous pooled block, sends straight from it.</summary>
    Own,

    /// <summary>Kestrel's socket transport, with our memory blocks behind its pipes.</summary>
    Kestrel,
}

/// <summary>Settings of the socket transport. Sizes are bytes.</summary>
internal sealed record TransportOptions
{
    /// <summary>Which transport serves the endpoints.</summary>
    public TransportKind Transport { get; init; } = TransportKind.Own;

    /// <summary>
    /// Size of one pooled block, and so the most that one receive can bring. Beyond 64 KiB nothing was gained in measurements; at 4 KiB
    /// (Kestrel's size) a byte costs 1.7 times the CPU.
    /// </summary>
    public int BlockSize { get; init; } = 64 * 1024;

    /// <summary>
    /// Physical memory that unused blocks may keep. What a burst needed beyond it goes back to the kernel when the blocks are returned;
    /// what stays unused for a whole <see cref="TrimInterval"/> goes back, too. Under Kestrel's transport eight times as much is kept, and
    /// goes back with a later garbage collection.
    /// </summary>
    public long RetainedBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>How often blocks that nobody needed meanwhile give their memory back.</summary>
    public TimeSpan TrimInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How much a reader may leave unconsumed before the connection is given up as a programming error. The readers of this program
    /// consume as they go; this bounds one that does not.
    /// </summary>
    public int MaxUnconsumedBytes { get; init; } = 1024 * 1024; // what Kestrel's transport buffers at most

    /// <summary>
    /// Connections of all endpoints together, beyond which accepting pauses until one has ended; the kernel queues newcomers meanwhile. 0: no limit.
    /// Kestrel's transport knows no pause and does not look at it.
    /// </summary>
    public int MaxConnections { get; init; }

    /// <summary>Connections the kernel queues for us while we are busy. The kernel caps it at net.core.somaxconn.</summary>
    public int Backlog { get; init; } = 512; // Kestrel's default

    /// <summary>
    /// For how many seconds the kernel keeps a connection to itself until its client has sent something (TCP_DEFER_ACCEPT, Linux); 0: it does
    /// not. Spares a wait per connection: with a connection per 20 KiB request 0.88 of the CPU. But silent connections then count against
    /// <see cref="Backlog"/> instead of the connection limit, and are reset when the server stops.
    /// </summary>
    public int DeferAcceptSeconds { get; init; }

    /// <summary>
    /// How long a stop waits for handshakes that had begun before it, while newcomers get no answer (Linux; elsewhere it does not wait). 250 ms: the longest
    /// way around the world and back. Zero: what is queued by then is taken, and no more.
    /// </summary>
    public TimeSpan HandshakeGrace { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// How long a closing connection may take to hand its last bytes to the kernel. A client that stopped reading is cut off after it.
    /// </summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Pause after a failed accept when descriptors or kernel memory ran out. It doubles up to <see cref="MaxAcceptPause"/> while the
    /// shortage lasts.
    /// </summary>
    public TimeSpan AcceptPause { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>The longest pause between two accepts during a shortage.</summary>
    public TimeSpan MaxAcceptPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Every fault of these settings, as sentences; none when they are usable.</summary>
    public IEnumerable<string> Faults()
    {
        if (!Enum.IsDefined(Transport))
        {
            yield return "Transport must be Own or Kestrel.";
        }

        if (BlockSize is < 4096 or > 4 * 1024 * 1024 || BlockSize % 4096 != 0)
        {
            yield return "BlockSize must be a multiple of 4096 between 4096 and 4194304 bytes.";
        }

        if (RetainedBytes < 0)
        {
            yield return "RetainedBytes must not be negative.";
        }

        if (MaxUnconsumedBytes < BlockSize)
        {
            yield return "MaxUnconsumedBytes must be at least BlockSize.";
        }

        if (MaxConnections < 0)
        {
            yield return "MaxConnections must not be negative.";
        }

        if (Backlog < 1)
        {
            yield return "Backlog must be at least 1.";
        }

        if (DeferAcceptSeconds is < 0 or > 60)
        {
            yield return "DeferAcceptSeconds must be between 0 and 60.";
        }

        if (HandshakeGrace < TimeSpan.Zero)
        {
            yield return "HandshakeGrace must not be negative.";
        }

        if (TrimInterval <= TimeSpan.Zero || CloseTimeout <= TimeSpan.Zero || AcceptPause <= TimeSpan.Zero || MaxAcceptPause < AcceptPause)
        {
            yield return "TrimInterval, CloseTimeout and AcceptPause must be positive, and MaxAcceptPause not below AcceptPause.";
        }
    }
}
