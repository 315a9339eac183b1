using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using FastListener.Load.Scenarios;
using FastListener.Load.Sockets;

namespace FastListener.Load.Engines;

/// <summary>
/// One client for engines that want a Task for each request: a socket, or an SslStream over it, kept open when the population keeps connections.
/// Large bodies stream from shared memory.
/// </summary>
internal sealed class TaskClient(LoopbackTarget target, Population population) : IDisposable
{
    private static int s_sourceTurn;
    private readonly ReplyReader _reply = new();
    private readonly byte[] _prefix = new byte[Math.Max(population.Request.Prefix.Length, population.FollowUp?.Prefix.Length ?? 0)];
    private readonly byte[] _objectId = new byte[RequestTemplate.ObjectIdLength];
    private readonly byte[] _received = new byte[4096];
    private Socket? _socket;
    private Stream? _stream;

    /// <summary>Status of the last answer.</summary>
    public int Status => _reply.Status;

    /// <summary>Status of the answer; the connection is closed afterwards where the population or the server asks for it.</summary>
    /// <exception cref="IOException">The connection broke, or what came was no answer.</exception>
    public async Task<int> SendAsync(RequestTemplate request, ulong sequence, CancellationToken stop)
    {
        try
        {
            var stream = _stream ??= await ConnectAsync(stop);
            request.WritePrefix(_prefix, sequence, _objectId);
            await stream.WriteAsync(_prefix.AsMemory(0, request.Prefix.Length), stop);
            foreach (var piece in request.Pieces)
            {
                await WriteAsync(stream, piece, stop);
            }

            _reply.Reset();
            while (true)
            {
                var got = await stream.ReadAsync(_received.AsMemory(0, Math.Min(_received.Length, _reply.Free.Length)), stop);
                if (got == 0)
                {
                    throw new IOException("closed before the answer");
                }

                _received.AsSpan(0, got).CopyTo(_reply.Free);
                if (_reply.Take(got))
                {
                    break;
                }
            }

            if (population.OneConnectionEach || request.Closes || _reply.Closes)
            {
                Dispose();
            }

            return request.Marker is { } marker && _reply.Status == 200 && _reply.Body.IndexOf(marker) < 0
                ? throw new IOException("an answer without its marker")
                : _reply.Status;
        }
        catch (Exception e) when (e is SocketException or InvalidDataException or OperationCanceledException or System.Security.Authentication.AuthenticationException or IOException)
        {
            Dispose();
            throw e as IOException ?? new IOException(e.Message, e);
        }
    }

    /// <summary>Remembers the object that the last answer named; false when it named none.</summary>
    public bool TakeObjectId() => _reply.TryCopyObjectId(_objectId);

    public void Dispose()
    {
        _stream?.Dispose();
        _socket?.Dispose();
        _stream = null;
        _socket = null;
    }

    private async Task WriteAsync(Stream stream, Inputs.Piece piece, CancellationToken stop)
    {
        var pace = population.BytesPerSecond;
        if (pace == 0)
        {
            await stream.WriteAsync(piece.Bytes.Memory.Slice(piece.Offset, piece.Length), stop);
            return;
        }

        var slice = Math.Max(1, pace / 10);
        var clock = Stopwatch.StartNew();
        for (var at = 0; at < piece.Length; at += slice)
        {
            await stream.WriteAsync(piece.Bytes.Memory.Slice(piece.Offset + at, Math.Min(slice, piece.Length - at)), stop);
            var ahead = TimeSpan.FromSeconds((double)(at + slice) / pace) - clock.Elapsed;
            if (ahead > TimeSpan.Zero)
            {
                await Task.Delay(ahead, stop);
            }
        }
    }

    private async Task<Stream> ConnectAsync(CancellationToken stop)
    {
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (population.OneConnectionEach)
        {
            // A source address of its own every so often: 28,000 ports do not last long when every crash takes one.
            _socket.Bind(new IPEndPoint(new IPAddress([127, 0, 1, (byte)(1 + (Interlocked.Increment(ref s_sourceTurn) & 63))]), 0));
        }

        await _socket.ConnectAsync(target.Address, target.Port, stop);
        var plain = new NetworkStream(_socket, ownsSocket: false);
        if (!target.Tls)
        {
            return plain;
        }

        var secured = new SslStream(plain);
        await secured.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                AllowTlsResume = population.ResumeTls,
#pragma warning disable CA5359 // The target is this machine's loopback, with a certificate of its own making.
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
            },
            stop);
        return secured;
    }
}
