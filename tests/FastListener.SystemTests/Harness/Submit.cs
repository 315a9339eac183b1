using System.Text;

namespace FastListener.SystemTests.Harness;

/// <summary>Plain submissions for tests that are about something else.</summary>
internal static class Submit
{
    public static byte[] RawRequest(string token, ReadOnlySpan<byte> dump, string query = "", string head = "") =>
        [.. Encoding.ASCII.GetBytes($"POST /post?format=minidump&token={token}{query} HTTP/1.1\r\nHost: test\r\n{head}Content-Length: {dump.Length}\r\n\r\n"), .. dump];

    public static byte[] AttachmentRequest(string token, string rxid, string name, ReadOnlySpan<byte> bytes) =>
        [.. Encoding.ASCII.GetBytes($"POST /post?token={token}&object={rxid}&attachment_name={name} HTTP/1.1\r\nHost: test\r\nContent-Length: {bytes.Length}\r\n\r\n"), .. bytes];

    /// <summary>A form with the attributes, the dump as upload_file and one attachment.</summary>
    public static byte[] FormRequest(string token, ReadOnlySpan<byte> dump, string attachmentName, ReadOnlySpan<byte> attachment, string query = "")
    {
        const string Boundary = "SystemTestBoundary7MA4YWxkTrZu0gW";
        byte[] body =
        [
            .. Part($"name=\"upload_file\"; filename=\"a.dmp\""), .. dump, .. "\r\n"u8,
            .. Part($"name=\"attachment_{attachmentName}\"; filename=\"{attachmentName}\""), .. attachment, .. "\r\n"u8,
            .. Encoding.ASCII.GetBytes($"--{Boundary}--\r\n"),
        ];
        return
        [
            .. Encoding.ASCII.GetBytes(
                $"POST /post?format=minidump&token={token}{query} HTTP/1.1\r\nHost: test\r\n"
                + $"Content-Type: multipart/form-data; boundary={Boundary}\r\nContent-Length: {body.Length}\r\n\r\n"),
            .. body,
        ];

        static byte[] Part(string names) => Encoding.ASCII.GetBytes($"--{Boundary}\r\nContent-Disposition: form-data; {names}\r\n\r\n");
    }

    /// <summary>One dump over a connection of its own.</summary>
    public static RawReply Dump(int port, string token, ReadOnlySpan<byte> dump, string query = "")
    {
        using var client = RawClient.Connect(port);
        client.Send(RawRequest(token, dump, query));
        return client.ReadReply();
    }

    /// <summary>The receipt, when the reply is a 200.</summary>
    public static string ReceiptOf(this RawReply reply)
    {
        Assert.True(reply.Status == 200, reply.ToString());
        return reply.Rxid;
    }

    /// <summary>Bytes that start as a minidump and go on at random, the same for the same seed.</summary>
    public static byte[] MadeDump(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        "MDMP"u8.CopyTo(bytes);
        return bytes;
    }
}
