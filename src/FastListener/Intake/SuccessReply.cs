using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using FastListener.Connections;
using FastListener.Storage;

namespace FastListener.Intake;

/// <summary>
/// The documented replies, byte for byte: status exactly 200, <c>_rxid</c> before <c>object</c>, ids as strings, no key
/// named <c>status</c>.
/// </summary>
internal sealed class SuccessReply
{
    private const int RxidAt = 26;

    private static readonly byte[] PreflightBody = "{\"response\":\"ok\"}"u8.ToArray();

    private static readonly byte[] PreflightFields = (
        "\r\nAccess-Control-Allow-Methods: POST, OPTIONS"
        + "\r\nAccess-Control-Allow-Headers: content-type, content-encoding, x-submission-bucket"
        + "\r\nAccess-Control-Max-Age: 86400"
        + "\r\nAllow: POST, OPTIONS").Select(static c => (byte)c).ToArray();

    private static readonly byte[] WithoutAttachments = Field(Degradation.WithoutAttachments);

    private static readonly byte[] MetadataOnly = Field(Degradation.MetadataOnly);

    private readonly byte[] _stored = [.. "{\"response\":\"ok\",\"_rxid\":\"00000000-0000-0000-0000-000000000000\"}"u8];

    /// <summary>The answer to a CORS preflight (Fetch standard, section 3.2.2).</summary>
    public static ReplyMessage Preflight { get; } = new(200, PreflightBody, PreflightFields, Closes: false);

    /// <summary>For a stored report or symbol file. The body is this object's own and is overwritten by the next call.</summary>
    public ReplyMessage Stored(Receipt receipt)
    {
        receipt.FormatRxid(_stored.AsSpan(RxidAt, ReceiptId.RxidLength));
        return new(200, _stored, default, Closes: false);
    }

    /// <summary>For an attachment stored with an object that was there before.</summary>
    public static ReplyMessage Attached(Receipt receipt, ReadOnlySpan<byte> attachmentName)
    {
        Span<byte> rxid = stackalloc byte[ReceiptId.RxidLength];
        receipt.FormatZeroFilled(rxid);
        var body = new ArrayBufferWriter<byte>(256);
        body.Write("{\"response\":\"ok\",\"_rxid\":\""u8);
        body.Write(rxid);
        body.Write("\",\"attachment_name\": "u8);
        body.Write(Quoted(attachmentName));
        body.Write(",\"attachment_id\": \""u8);
        body.Write(Encoding.ASCII.GetBytes(receipt.AttachmentId.ToString(CultureInfo.InvariantCulture)));
        body.Write("\",\"object\":\""u8);
        body.Write(Encoding.ASCII.GetBytes(receipt.ObjectId.ToString("x", CultureInfo.InvariantCulture)));
        body.Write("\"}"u8);
        return new(200, body.WrittenMemory, default, Closes: false);
    }

    /// <summary>The header line that tells what was given up.</summary>
    public static ReadOnlyMemory<byte> Degraded(Degradation given) => given is Degradation.MetadataOnly ? MetadataOnly : WithoutAttachments;

    private static byte[] Field(Degradation given) => Encoding.ASCII.GetBytes($"\r\nFastListener-Degraded: {given.Word()}");

    private static byte[] Quoted(ReadOnlySpan<byte> text)
    {
        // Names from the wire need not be UTF-8; the encoder replaces what is not.
        var encoded = JsonEncodedText.Encode(Encoding.UTF8.GetString(text), System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
        return [(byte)'"', .. encoded.EncodedUtf8Bytes, (byte)'"'];
    }
}
