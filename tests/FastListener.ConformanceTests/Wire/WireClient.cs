using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using FastListener.SystemTests.Harness;

namespace FastListener.ConformanceTests.Wire;

/// <summary>A connection that sends given bytes in given pieces and reads replies by their Content-Length. Hundreds may be open at once.</summary>
internal sealed class WireClient : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static int s_address;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly CancellationTokenSource _limit = new(Limit);
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    private WireClient()
    {
    }

    /// <summary>Replies to HEAD announce a length and have no body (RFC 9110 9.3.2).</summary>
    public bool ExpectNoBodies { get; set; }

    /// <summary>Nothing readable, nothing closed: the other end is still listening.</summary>
    public bool IsSilent => _start == _end && !_socket.Poll(0, SelectMode.SelectRead);

    /// <summary>
    /// Connects from one of the 16 million loopback addresses: each client is a sender of its own, so that caps and delays which the
    /// listener keeps per sender stay out of the cases.
    /// </summary>
    public static async Task<WireClient> ConnectAsync(int port)
    {
        var client = new WireClient();
        var number = Interlocked.Increment(ref s_address);
        client._socket.Bind(new IPEndPoint(new IPAddress([127, 1, (byte)(number >> 8), (byte)((number % 250) + 2)]), 0));
        await client._socket.ConnectAsync(IPAddress.Loopback, port, client._limit.Token);
        return client;
    }

    /// <summary>False when the other end takes no more bytes.</summary>
    public async Task<bool> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, _limit.Token)..];
            }

            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Sends, and comes back when the other end has read all of it out of its socket (or is gone, or has answered).</summary>
    public async Task<bool> SendAndSeeTakenAsync(ReadOnlyMemory<byte> bytes)
    {
        if (!await SendAsync(bytes))
        {
            return false;
        }

        // The first look comes after everybody else's turn: by then the piece is mostly read.
        var waiting = Stopwatch.StartNew();
        for (var looks = 0; ; looks++)
        {
            await (looks < 2 ? Task.Run(static () => { }) : Task.Delay(1));
            if (SocketQueue.IsTaken(_socket) || _socket.Available > 0)
            {
                break; // who has answered need not read on at once
            }

            Assert.True(waiting.Elapsed < Limit, "The listener stopped reading.");
        }

        _limit.CancelAfter(Limit); // of 50,000 pieces each may take its time
        return true;
    }

    public void FinishSending()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // Reset already: finished in any case.
        }
    }

    /// <summary>One reply, interim or final; null when the connection ended before its first byte. The body only of final ones.</summary>
    public async Task<RawReply?> TryReadAsync()
    {
        var head = new StringBuilder();
        while (!EndsHead(head))
        {
            if (_start == _end && !await FillAsync())
            {
                return head.Length == 0 ? null : throw new InvalidDataException($"The connection ended within a reply's head: {head}");
            }

            head.Append((char)_buffer[_start++]);
        }

        var reply = RawReply.ParseHead(head.ToString());
        if (ExpectNoBodies || reply.Status < 200 || reply.Header("Content-Length") is not { } length)
        {
            return reply;
        }

        return reply with { Body = Encoding.UTF8.GetString(await ReadBodyAsync(int.Parse(length, CultureInfo.InvariantCulture))) };
    }

    /// <summary>Reads and drops everything until the other end closes.</summary>
    public async Task DrainAsync()
    {
        while (await FillAsync())
        {
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _limit.Dispose();
    }

    private static bool EndsHead(StringBuilder text) =>
        text.Length >= 4 && text[^1] == '\n' && text[^2] == '\r' && text[^3] == '\n' && text[^4] == '\r';

    private async Task<byte[]> ReadBodyAsync(int length)
    {
        var body = new byte[length];
        var filled = 0;
        while (filled < length)
        {
            if (_start == _end && !await FillAsync())
            {
                throw new InvalidDataException($"The connection ended after {filled} of a reply's {length} body bytes.");
            }

            var slice = Math.Min(_end - _start, length - filled);
            _buffer.AsSpan(_start, slice).CopyTo(body.AsSpan(filled));
            _start += slice;
            filled += slice;
        }

        return body;
    }

    private async Task<bool> FillAsync()
    {
        _start = 0;
        _end = 0;
        try
        {
            _end = await _socket.ReceiveAsync(_buffer, SocketFlags.None, _limit.Token);
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionReset)
        {
            return false;
        }
        catch (OperationCanceledException error)
        {
            throw new TimeoutException($"Neither a reply nor a close within {Limit}.", error);
        }

        return _end > 0;
    }
}
