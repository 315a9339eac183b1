namespace FastListener.Configuration;

/// <summary>How long the listener waits. All deadlines hang on the connection's heartbeat and are exact to about one second.</summary>
internal sealed record DeadlineOptions
{
    /// <summary>For a TLS handshake, from the accepted connection to its end. 10 s is Kestrel's default. By a timer of Kestrel's own, not the heartbeat.</summary>
    public TimeSpan TlsHandshake { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>From the first byte of a request head to its end. 30 s is Kestrel's default; nginx has 60 s.</summary>
    public TimeSpan Head { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Between two requests on a kept connection, and before the first byte of the first. 75 s is nginx's.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>Without a single byte of the body. Twice the longest socket time-out seen in a client (60 s, Crashpad).</summary>
    public TimeSpan BodyStall { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>
    /// Bytes a second a body must average once the grace is over, counting only the time spent waiting for the client. What came faster counts for ten
    /// minutes ahead at most. 240 is Kestrel's (MinRequestBodyDataRate).
    /// </summary>
    public int MinBodyBytesPerSecond { get; init; } = 240;

    /// <summary>
    /// Waiting time before the average is looked at, so that a phone in a tunnel keeps its upload. 60 s is what nginx waits between two reads; Kestrel's
    /// grace, 5 s, ends an upload that merely stalls.
    /// </summary>
    public TimeSpan BodyGrace { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// For all waits for the bytes of one body together. Zero, off: the least rate ends who only pretends to send, and a large dump on a
    /// thin line may take a day.
    /// </summary>
    public TimeSpan Request { get; init; } = TimeSpan.Zero;

    /// <summary>
    /// For the token field of a form that has brought more than 64 KiB without it, and only while others wait to do so. 60 s, all the time that Crashpad gives
    /// an upload; no known client sends its files before its token.
    /// </summary>
    public TimeSpan Token { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>For the client to take the reply. 30 s, our choice: half of nginx's send_timeout, for a reply of a few hundred bytes.</summary>
    public TimeSpan Reply { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For reading and dropping what a refused client still sends. 5 s is nginx's lingering_timeout.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// For uploads in flight to finish after SIGTERM or Ctrl+C; those that wait for their client about two seconds before are told so. 30 s is the default of .NET's host; the
    /// shipped unit allows 45 s before systemd kills.
    /// </summary>
    public TimeSpan Shutdown { get; init; } = TimeSpan.FromSeconds(30);
}
