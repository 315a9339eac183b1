using System.Text;

namespace FastListener.TestInputs;

/// <summary>One part of a form.</summary>
/// <param name="Name">The field's name.</param>
/// <param name="FileName">The file's name; null for an ordinary field.</param>
/// <param name="ContentType">The part's type; null when it has none.</param>
/// <param name="Content">Its bytes.</param>
public sealed record FormPart(string Name, string? FileName, string? ContentType, ReadOnlyMemory<byte> Content);

/// <summary>A multipart body, what must be sent with it, and what must come out of it.</summary>
public sealed class CrashForm
{
    /// <summary>A boundary as Crashpad makes them.</summary>
    public const string CrashpadBoundary = "---MultipartBoundary-q7Rk2WvXz9LmT4bNc8Hs5JdPf3GyA6Ue---";

    private CrashForm(string boundary, IReadOnlyList<FormPart> parts, byte[] body)
    {
        Boundary = boundary;
        Parts = parts;
        Body = body;
    }

    /// <summary>The boundary, without dashes in front.</summary>
    public string Boundary { get; }

    /// <summary>The request's Content-Type.</summary>
    public string ContentType => $"multipart/form-data; boundary={Boundary}";

    /// <summary>The parts in order; <see cref="FormPart.Content"/> is a slice of <see cref="Body"/>.</summary>
    public IReadOnlyList<FormPart> Parts { get; }

    /// <summary>The whole body. Shared: do not write to it.</summary>
    public byte[] Body { get; }

    /// <summary>Bytes of all parts' contents together.</summary>
    public long ContentBytes => Parts.Sum(part => (long)part.Content.Length);

    /// <summary>Lays parts out as a body.</summary>
    public static CrashForm Of(string boundary, IReadOnlyList<FormPart> parts)
    {
        var heads = parts.Select(part => Head(boundary, part)).ToArray();
        var closing = Encoding.ASCII.GetBytes($"--{boundary}--\r\n");
        var body = new byte[heads.Sum(head => head.Length) + parts.Sum(part => part.Content.Length + 2) + closing.Length];
        var laid = new List<FormPart>(parts.Count);
        var at = 0;
        for (var i = 0; i < parts.Count; i++)
        {
            at += Put(heads[i], body, at);
            var content = at;
            at += Put(parts[i].Content.Span, body, at);
            laid.Add(parts[i] with { Content = body.AsMemory(content, at - content) });
            at += Put("\r\n"u8, body, at);
        }

        Put(closing, body, at);
        return new(boundary, laid, body);
    }

    /// <summary>What Crashpad sends: its annotations in key order, then the dump. The body has exactly the given size.</summary>
    /// <param name="bodyBytes">At least 10 KiB: the fields alone take some 8.</param>
    /// <param name="dump">Makes the dump, given its length.</param>
    public static CrashForm Crashpad(int bodyBytes, Func<int, byte[]> dump)
    {
        var parts = CrashpadAttributes.All
            .Select(pair => new FormPart(Encoding.UTF8.GetString(pair.Name), null, null, pair.Value))
            .Append(new FormPart("upload_file_minidump", "7b1c4c1e-57d0-4b42-9e9a-2f3f1d6a7c10.dmp", "application/octet-stream", default))
            .ToArray();
        var dumpBytes = bodyBytes - Of(CrashpadBoundary, parts).Body.Length;
        parts[^1] = parts[^1] with { Content = dump(dumpBytes) };
        return Of(CrashpadBoundary, parts);
    }

    private static byte[] Head(string boundary, FormPart part)
    {
        var head = new StringBuilder();
        head.Append("--").Append(boundary).Append("\r\nContent-Disposition: form-data; name=\"").Append(part.Name).Append('"');
        if (part.FileName is { } fileName)
        {
            head.Append("; filename=\"").Append(fileName).Append('"');
        }

        head.Append("\r\n");
        if (part.ContentType is { } type)
        {
            head.Append("Content-Type: ").Append(type).Append("\r\n");
        }

        return Encoding.UTF8.GetBytes(head.Append("\r\n").ToString());
    }

    private static int Put(ReadOnlySpan<byte> bytes, byte[] body, int at)
    {
        bytes.CopyTo(body.AsSpan(at));
        return bytes.Length;
    }
}
