using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using FastListener.Connections;

namespace FastListener.Intake;

/// <summary>Error replies: <c>{"error":{"code":6,"message":"invalid token"}}</c>, never with 200.</summary>
internal static class ErrorReply
{
    private static readonly ConcurrentDictionary<(RejectReason Reason, string Detail), ReplyMessage> Detailed = new();
    private static readonly ReplyMessage[] Fixed = [.. Enum.GetValues<RejectReason>().Select(static reason => Build(Refusal.For(reason), Refusal.For(reason).Message))];

    /// <summary>The reply for a reason, made once.</summary>
    public static ReplyMessage Create(RejectReason reason) => Fixed[(int)reason];

    /// <summary>The reply for a reason with a further half-sentence about what was received. Kept: pass only sentences of our own, of which there are few.</summary>
    public static ReplyMessage Create(RejectReason reason, string detail) => Detailed.GetOrAdd((reason, detail), static key =>
    {
        var row = Refusal.For(key.Reason);
        return Build(row, $"{row.Message.TrimEnd('.')}; {key.Detail}");
    });

    private static ReplyMessage Build(Refusal row, string message)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartObject("error"u8);
            json.WriteNumber("code"u8, row.Code);
            json.WriteString("message"u8, message);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        var extra = $"\r\nFastListener-Reason: {row.Word}";
        if (row.Status == 405)
        {
            extra += "\r\nAllow: POST, OPTIONS";
        }

        if (row.RetryAfter != 0)
        {
            extra += string.Create(CultureInfo.InvariantCulture, $"\r\nRetry-After: {row.RetryAfter}");
        }

        return new(row.Status, body.WrittenMemory, Encoding.ASCII.GetBytes(extra), row.Closes);
    }
}
