using System.Net.Sockets;
using System.Text.Json;

namespace FastListener.Diagnostics;

/// <summary>
/// What the processes that serve a data directory said when they were asked (<see cref="Admin.AuditSocket"/>): one of them, or two while one takes over.
/// </summary>
/// <param name="Booked">Whether all of them brought the ledger up to date.</param>
/// <param name="InFlight">Their uploads under way, as the admin endpoint lists them.</param>
/// <param name="Faults">Why one that runs did not answer.</param>
internal sealed record RunningListener(bool Booked, IReadOnlyList<JsonElement> InFlight, IReadOnlyList<string> Faults)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>A new socket's path: each process has its own, since two may have one directory.</summary>
    public static string NewSocketIn(string dataDirectory) =>
        Path.Combine(Path.GetFullPath(dataDirectory), $"serve-{Random.Shared.Next():x8}.sock");

    /// <summary>The sockets that are there; those of processes that were killed, too.</summary>
    public static string[] SocketsIn(string dataDirectory) => Directory.GetFiles(Path.GetFullPath(dataDirectory), "serve-*.sock");

    /// <summary>Asks them. Null when none runs there.</summary>
    public static async Task<RunningListener?> AskAsync(string dataDirectory, CancellationToken cancel)
    {
        var answers = new List<RunningListener>();
        foreach (var path in SocketsIn(dataDirectory))
        {
            if (await AskOneAsync(path, cancel) is { } answer)
            {
                answers.Add(answer);
            }
        }

        return answers.Count == 0 ? null : new(
            answers.TrueForAll(answer => answer.Booked), [.. answers.SelectMany(answer => answer.InFlight)], [.. answers.SelectMany(answer => answer.Faults)]);
    }

    private static async Task<RunningListener?> AskOneAsync(string path, CancellationToken cancel)
    {
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
                [.. document.RootElement.GetProperty("inFlight").EnumerateArray().Select(upload => upload.Clone())],
                []);
        }
        catch (SocketException gone) when (gone.SocketErrorCode is SocketError.ConnectionRefused || !File.Exists(path))
        {
            return null; // it was killed, or has just ended
        }
        catch (Exception fault) when (!cancel.IsCancellationRequested && fault is SocketException or OperationCanceledException or JsonException or IOException)
        {
            return new(Booked: false, [], [$"The listener behind {path} does not answer: {fault.Message}"]);
        }
    }
}
