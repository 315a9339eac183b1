using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using FastListener.Diagnostics;

namespace FastListener.Connections;

/// <summary>
/// Puts one reply on the wire in the form every known client can read: <c>Content-Length</c> above zero, never chunked,
/// every field as <c>Name: value</c> with exactly one space (Crashpad's socket transport accepts nothing else).
/// </summary>
internal static class ResponseWriter
{
    /// <summary>Writes head and body and flushes them.</summary>
    /// <param name="output">The transport's writer.</param>
    /// <param name="reply">What to say. Its body is copied before this returns.</param>
    /// <param name="keepAlive">Whether the connection stays open after this reply.</param>
    /// <param name="headOnly">Whether the request was HEAD: the length is announced, the body is left out.</param>
    public static ValueTask<FlushResult> WriteAsync(PipeWriter output, ReplyMessage reply, bool keepAlive, bool headOnly)
    {
        var body = reply.Body.Span;
        var span = output.GetSpan(512 + reply.Extra.Length + body.Length);
        var at = 0;
        Put(span, ref at, "HTTP/1.1 "u8);
        Put(span, ref at, StatusLine(reply.Status));
        Put(span, ref at, "\r\nDate: "u8);
        Put(span, ref at, HttpDate.Now);
        Put(span, ref at, "\r\nContent-Type: application/json\r\nContent-Length: "u8);
        Utf8Formatter.TryFormat(body.Length, span[at..], out var digits);
        at += digits;
        Put(span, ref at, "\r\nAccess-Control-Allow-Origin: *"u8);
        Put(span, ref at, reply.Extra.Span);
        Put(span, ref at, keepAlive ? "\r\nConnection: keep-alive\r\n\r\n"u8 : "\r\nConnection: close\r\n\r\n"u8);
        if (!headOnly)
        {
            Put(span, ref at, body);
        }

        output.Advance(at);
        return output.FlushAsync();
    }

    /// <summary>The interim reply of RFC 9110 section 15.2.1.</summary>
    public static ValueTask<FlushResult> WriteContinueAsync(PipeWriter output)
    {
        output.Write("HTTP/1.1 100 Continue\r\n\r\n"u8);
        return output.FlushAsync();
    }

    private static void Put(Span<byte> span, ref int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(span[at..]);
        at += bytes.Length;
    }

    private static ReadOnlySpan<byte> StatusLine(int status) => status switch
    {
        200 => "200 OK"u8,
        400 => "400 Bad Request"u8,
        403 => "403 Forbidden"u8,
        404 => "404 Not Found"u8,
        405 => "405 Method Not Allowed"u8,
        408 => "408 Request Timeout"u8,
        413 => "413 Content Too Large"u8,
        414 => "414 URI Too Long"u8,
        415 => "415 Unsupported Media Type"u8,
        429 => "429 Too Many Requests"u8,
        431 => "431 Request Header Fields Too Large"u8,
        503 => "503 Service Unavailable"u8,
        505 => "505 HTTP Version Not Supported"u8,
        _ => "500 Internal Server Error"u8,
    };
}
