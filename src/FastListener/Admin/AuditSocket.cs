using System.Buffers;
using System.Net.Sockets;
using System.Text.Json;
using FastListener.Diagnostics;
using FastListener.Storage;

namespace FastListener.Admin;

/// <summary>
/// Where <c>audit</c> asks the process that serves a data directory: a Unix socket in the directory, for its owner alone, each process its own. Whoever connects
/// gets one JSON object, after the ledger was brought up to date: whether that worked, and the uploads under way.
/// </summary>
internal sealed class AuditSocket : IAsyncDisposable
{
    private const int Backlog = 16;
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);

    private readonly Socket _socket;
    private readonly string _path;
    private readonly ObjectStore _store;
    private readonly RequestFigures _figures;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    private AuditSocket(Socket socket, string path, ObjectStore store, RequestFigures figures, ILogger log)
    {
        _socket = socket;
        _path = path;
        _store = store;
        _figures = figures;
        _log = log;
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Starts it. Null when there can be none: that costs audits the uploads under way, and nobody an upload. Call as the holder of the directory.</summary>
    public static AuditSocket? Start(string dataDirectory, ObjectStore store, RequestFigures figures, ILogger log)
    {
        var path = RunningListener.NewSocketIn(dataDirectory);
        var unfinished = path + ".new"; // what has the final name is listened to, or its process is gone
        Socket? socket = null;
        try
        {
            socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            DeleteDead(dataDirectory);
            socket.Bind(new UnixDomainSocketEndPoint(unfinished));
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(unfinished, UnixFileMode.UserRead | UnixFileMode.UserWrite); // before anybody can be let in
            }

            socket.Listen(Backlog);
            File.Move(unfinished, path);
            return new(socket, path, store, figures, log);
        }
        catch (Exception fault) when (fault is SocketException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            socket?.Dispose();
            AdminLog.NoAuditSocket(log, path, fault.Message);
            return null;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _socket.Dispose();
        _stop.Dispose();
        try
        {
            File.Delete(_path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // The disk is read-only: the next start finds that nobody listens there, and deletes it.
        }
    }

    private static void DeleteDead(string dataDirectory)
    {
        foreach (var path in RunningListener.SocketsIn(dataDirectory))
        {
            using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            try
            {
                probe.Connect(new UnixDomainSocketEndPoint(path));
            }
            catch (SocketException refused) when (refused.SocketErrorCode is SocketError.ConnectionRefused)
            {
                File.Delete(path);
            }
            catch (SocketException)
            {
                // It is alive, and busy.
            }
        }
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                using var connection = await _socket.AcceptAsync(_stop.Token);
                await Task.Yield(); // completions may run on a thread that polls the sockets of uploads
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                limit.CancelAfter(AnswerLimit);
                await AnswerAsync(connection, limit.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (OperationCanceledException)
            {
                // Whoever asked does not read.
            }
            catch (SocketException)
            {
                // Whoever asked has left.
                await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None);
            }
            catch (Exception fault)
            {
                AdminLog.InternalFault(_log, fault); // one answer fails, not all that are asked for from now on
                await Task.Delay(TimeSpan.FromMilliseconds(100), CancellationToken.None);
            }
        }
    }

    private async Task AnswerAsync(Socket connection, CancellationToken stop)
    {
        var booked = await BookAsync(stop);
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteBoolean("booked", booked);
            json.WritePropertyName("inFlight");
            AdminPages.WriteRequests(json, _figures);
            json.WriteEndObject();
        }

        for (var left = bytes.WrittenMemory; !left.IsEmpty;)
        {
            left = left[await connection.SendAsync(left, stop)..];
        }
    }

    /// <summary>False when the ledger could not be brought up to date in time: the disk fails or hangs.</summary>
    private async Task<bool> BookAsync(CancellationToken stop)
    {
        try
        {
            return await _store.WriteLedgerAsync().WaitAsync(AnswerLimit / 2, stop);
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
