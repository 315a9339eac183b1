using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace FastListener.SystemTests.Harness;

/// <summary>
/// A client that sends exactly the bytes it is given and reads exactly one reply at a time: nothing between the test and the wire
/// that would correct, add or hide anything.
/// </summary>
internal sealed class RawClient : IDisposable
{
    private static readonly TimeSpan ReplyLimit = TimeSpan.FromSeconds(30);

    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    private RawClient(Socket socket, Stream stream)
    {
        _socket = socket;
        _stream = stream;
    }

    /// <summary>A plain connection, from an address of 127.0.0.0/8 when one is given, and with so many bytes of room for replies that nobody reads.</summary>
    public static RawClient Connect(int port, IPAddress? from = null, int? receiveBuffer = null)
    {
        var socket = OpenSocket(port, from, receiveBuffer);
        return new RawClient(socket, new NetworkStream(socket, ownsSocket: true));
    }

    /// <summary>TLS with whatever certificate the listener shows: its first start makes a self-signed one.</summary>
    public static RawClient ConnectTls(int port, IPAddress? from = null)
    {
        var socket = OpenSocket(port, from);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        stream.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
#pragma warning disable CA5359 // The listener on loopback is the one that this test started.
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
        });
        return new RawClient(socket, stream);
    }

    /// <summary>Whether a read met a reset.</summary>
    public bool WasReset { get; private set; }

    /// <summary>Sends all of it. False when the listener no longer takes bytes (its reply may still be there to read).</summary>
    public bool Send(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _stream.Write(bytes);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    public bool Send(string text) => Send(Encoding.Latin1.GetBytes(text));

    /// <summary>Sends a first piece, waits until the listener has read it out of its socket, then sends the rest.</summary>
    public bool SendInTwo(ReadOnlySpan<byte> bytes, int cut)
    {
        if (!Send(bytes[..cut]))
        {
            return false;
        }

        SocketQueues.WaitUntilTaken(_socket);
        return Send(bytes[cut..]);
    }

    public bool SendByteByByte(ReadOnlySpan<byte> bytes)
    {
        for (var at = 0; at < bytes.Length; at++)
        {
            if (!Send(bytes.Slice(at, 1)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Nothing more will be sent; replies can still be read.</summary>
    public void FinishSending()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The listener has reset the connection already: finished in any case.
        }
    }

    /// <summary>Leaves as a client that crashed: with a reset instead of a goodbye.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    /// <summary>One reply by its Content-Length, interim replies kept apart. Null when the connection ended before its first byte.</summary>
    public RawReply? TryReadReply()
    {
        var interim = new List<int>();
        while (true)
        {
            var head = ReadHead();
            if (head is null)
            {
                return null;
            }

            if (head.Status is >= 100 and < 200)
            {
                interim.Add(head.Status);
                continue;
            }

            var body = ReadBody(int.Parse(head.Header("Content-Length") ?? "0", CultureInfo.InvariantCulture));
            return head with { Body = Encoding.UTF8.GetString(body), Interim = interim };
        }
    }

    public RawReply ReadReply() =>
        TryReadReply() ?? throw new InvalidDataException("The listener closed the connection instead of answering.");

    /// <summary>One head only, an interim one as well.</summary>
    public RawReply? ReadHead()
    {
        var text = new StringBuilder();
        while (!EndsHead(text))
        {
            if (_start == _end && !Fill())
            {
                return text.Length == 0
                    ? null
                    : throw new InvalidDataException($"The connection ended within a reply's head: {text}");
            }

            text.Append((char)_buffer[_start++]);
        }

        return RawReply.ParseHead(text.ToString());
    }

    /// <summary>Everything the listener still sends until it closes; a reset counts as a close.</summary>
    public string ReadToEnd()
    {
        var rest = new StringBuilder();
        do
        {
            rest.Append(Encoding.Latin1.GetString(_buffer, _start, _end - _start));
            _start = _end;
        }
        while (Fill());

        return rest.ToString();
    }

    /// <summary>The status of every reply until the listener closes, found by its line alone: as little work as there can be.</summary>
    public void ReadStatuses(Action<int> each)
    {
        var start = "HTTP/1.1 "u8;
        var kept = 0; // of a status line that was cut
        while (_stream.Read(_buffer, kept, _buffer.Length - kept) is > 0 and var read)
        {
            var rest = _buffer.AsSpan(0, kept + read);
            while (rest.IndexOf(start) is >= 0 and var at && at + start.Length + 3 <= rest.Length)
            {
                each(int.Parse(rest.Slice(at + start.Length, 3), CultureInfo.InvariantCulture));
                rest = rest[(at + start.Length + 3)..];
            }

            rest = rest[^Math.Min(rest.Length, start.Length + 2)..];
            rest.CopyTo(_buffer);
            kept = rest.Length;
        }
    }

    /// <summary>Whether bytes of a reply are there within <paramref name="time"/>.</summary>
    public bool HasReplyWithin(TimeSpan time) => _start < _end || _socket.Poll(time, SelectMode.SelectRead);

    public void Dispose() => _stream.Dispose();

    private static Socket OpenSocket(int port, IPAddress? from, int? receiveBuffer = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = (int)ReplyLimit.TotalMilliseconds,
            SendTimeout = (int)ReplyLimit.TotalMilliseconds,
        };
        if (receiveBuffer is { } room)
        {
            socket.ReceiveBufferSize = room;
        }

        if (from is not null)
        {
            socket.Bind(new IPEndPoint(from, 0));
        }

        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    private static bool EndsHead(StringBuilder text) =>
        text.Length >= 4 && text[^1] == '\n' && text[^2] == '\r' && text[^3] == '\n' && text[^4] == '\r';

    private byte[] ReadBody(int length)
    {
        var body = new byte[length];
        var filled = 0;
        while (filled < length)
        {
            if (_start == _end && !Fill())
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

    private bool Fill()
    {
        _start = 0;
        _end = 0;
        try
        {
            _end = _stream.Read(_buffer);
        }
        catch (IOException error) when (error.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
            WasReset = true;
            return false;
        }
        catch (IOException error) when (error.InnerException is SocketException { SocketErrorCode: SocketError.WouldBlock or SocketError.TimedOut })
        {
            throw new TimeoutException($"Nothing came from the listener for {ReplyLimit}.", error);
        }

        return _end > 0;
    }
}
