using System.IO.Compression;
using System.Text;
using FastListener.TestInputs;

namespace FastListener.SystemTests.Restart;

/// <summary>Submissions as Crashpad makes them.</summary>
internal static class CrashpadForms
{
    /// <summary>A form as Crashpad sends it: gzipped, in chunks, its annotations first, then an attachment if there is one, the dump last.</summary>
    public static byte[] Request(string token, byte[] dump, string attachmentName, byte[]? attachment, string query = "")
    {
        var form = CrashForm.Of(CrashForm.CrashpadBoundary,
        [
            .. CrashpadAttributes.All.Select(pair => new FormPart(Encoding.UTF8.GetString(pair.Name), null, null, pair.Value)),
            .. attachment is null ? [] : new[] { new FormPart($"attachment_{attachmentName}", attachmentName, "application/octet-stream", attachment) },
            new FormPart("upload_file_minidump", "7b1c4c1e-57d0-4b42-9e9a-2f3f1d6a7c10.dmp", "application/octet-stream", dump),
        ]);
        return
        [
            .. Encoding.ASCII.GetBytes(
                $"POST /post?format=minidump&token={token}{query} HTTP/1.1\r\nHost: test\r\nContent-Type: {form.ContentType}\r\n"
                + "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"),
            .. BodyCodings.Chunked(BodyCodings.Gzip(form.Body, CompressionLevel.Fastest), 16 * 1024),
        ];
    }
}
