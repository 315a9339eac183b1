using System.Net.Sockets;
using System.Text.Json;

namespace FastListener.Diagnostics;

/// <summary>What the process that serves a data directory said when it was asked (<see cref="Admin.AuditSocket"/>).</summary>
/// <param name="Booked">Whether it brought the ledger up to date.</param>
/// <param name="InFlight">Its uploads under way, as its admin endpoint lists them.</param>
internal sealed record RunningListener(bool Booked, IReadOnlyList<JsonElement> InFlight)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>One that runs and said nothing.</summary>
    public static RunningListener Silent { get; } = new(Booked: false, []);

    /// <summary>The socket's path.</summary>
    public static string SocketIn(string dataDirectory) => Path.Combine(Path.GetFullPath(dataDirectory), "serve.sock");

    /// <summary>Asks it. Null when none runs there.</summary>
    /// <exception cref="IOException">One runs and does not answer.</exception>
    public static async Task<RunningListener?> AskAsync(string dataDirectory, CancellationToken cancel)
    {
        var path = SocketIn(dataDirectory);
        if (!File.Exists(path))
        {
            return null;
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), limit.Token);
            await using var answer = new NetworkStream(socket);
            using var document = await JsonDocument.ParseAsync(answer, cancellationToken: limit.Token);
            return new(
                document.RootElement.GetProperty("booked").GetBoolean(),
                [.. document.RootElement.GetProperty("inFlight").EnumerateArray().Select(upload => upload.Clone())]);
        }
        catch (SocketException refused) when (refused.SocketErrorCode is SocketError.ConnectionRefused)
        {
            return null; // one that was killed left the socket behind
        }
        catch (Exception fault) when (!cancel.IsCancellationRequested && fault is SocketException or OperationCanceledException or JsonException)
        {
            throw new IOException($"The listener behind {path} does not answer: {fault.Message}", fault);
        }
    }
}
