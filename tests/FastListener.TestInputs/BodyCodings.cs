using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace FastListener.TestInputs;

/// <summary>How a body looks on the wire when it is compressed or sent in chunks.</summary>
public static class BodyCodings
{
    /// <summary>One gzip member.</summary>
    public static byte[] Gzip(ReadOnlySpan<byte> body, CompressionLevel level = CompressionLevel.Optimal)
    {
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, level, leaveOpen: true))
        {
            gzip.Write(body);
        }

        return zipped.ToArray();
    }

    /// <summary>The chunked transfer coding (RFC 9112 7.1), chunks of one size and a shorter last one, no extensions, no trailers.</summary>
    public static byte[] Chunked(ReadOnlySpan<byte> body, int chunkBytes)
    {
        using var chunks = new MemoryStream(body.Length + (((body.Length / chunkBytes) + 2) * 12));
        while (!body.IsEmpty)
        {
            var take = Math.Min(chunkBytes, body.Length);
            chunks.Write(Encoding.ASCII.GetBytes(take.ToString("x", CultureInfo.InvariantCulture)));
            chunks.Write("\r\n"u8);
            chunks.Write(body[..take]);
            chunks.Write("\r\n"u8);
            body = body[take..];
        }

        chunks.Write("0\r\n\r\n"u8);
        return chunks.ToArray();
    }
}
