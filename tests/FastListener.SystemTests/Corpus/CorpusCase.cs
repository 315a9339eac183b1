using System.Globalization;
using System.Text;
using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Corpus;

/// <summary>One <c>.http</c> file: what a client sends on one connection, and what is expected of each reply.</summary>
internal sealed record CorpusCase(string Name, IReadOnlyList<CorpusRequest> Requests, IReadOnlyList<Expectation> Expected)
{
    private const string Separator = "===";

    public static IEnumerable<string> Names() => Directory
        .EnumerateFiles(Repository.Corpus, "*.http", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(Repository.Corpus, path)[..^".http".Length])
        .Order(StringComparer.Ordinal);

    public static CorpusCase Read(string name)
    {
        var path = Path.Combine(Repository.Corpus, name);
        var requests = Sections(path + ".http").Select(CorpusRequest.Parse).ToList();
        var expected = Sections(path + ".expect").Select(lines => Expectation.Parse(name, lines)).ToList();
        return requests.Count == expected.Count
            ? new CorpusCase(name, requests, expected)
            : throw new InvalidDataException($"{name}: {requests.Count} requests, {expected.Count} expectations.");
    }

    private static List<List<string>> Sections(string path)
    {
        var sections = new List<List<string>> { new() };
        var text = File.ReadAllText(path, Encoding.UTF8);
        foreach (var line in (text.EndsWith('\n') ? text[..^1] : text).Split('\n'))
        {
            if (line == Separator)
            {
                sections.Add([]);
            }
            else if (sections[^1].Count > 0 || !line.StartsWith('#'))
            {
                sections[^1].Add(line);
            }
        }

        return sections;
    }
}

/// <summary>The text of one request; its bytes depend on tokens and on earlier replies.</summary>
internal sealed record CorpusRequest(IReadOnlyList<string> Head, IReadOnlyList<string>? Body)
{
    public static CorpusRequest Parse(List<string> lines)
    {
        var blank = lines.IndexOf("");
        return blank < 0
            ? new CorpusRequest(lines, null)
            : new CorpusRequest(lines[..blank], lines[(blank + 1)..]);
    }

    /// <summary>
    /// The bytes on the wire: lines joined by CRLF, directives (lines of the head that begin with '@') carried out in the order
    /// compress, cut, chunk, length.
    /// </summary>
    public byte[] Bytes(CorpusText text)
    {
        var body = Body is null ? [] : text.Bytes(Join(Body, last: false));
        if (Directive("@gzip") is not null)
        {
            body = CorpusText.Compress("gzip", body);
        }

        if (Directive("@deflate") is not null)
        {
            body = CorpusText.Compress("deflate", body);
        }

        if (Directive("@cut") is { } cut)
        {
            body = body[..^cut];
        }

        if (Directive("@chunk") is { } size)
        {
            body = Chunk(body, size);
        }

        var head = Head.Select(line => line.StartsWith("@length", StringComparison.Ordinal)
                ? $"Content-Length: {body.Length + (Directive("@length") ?? 0)}"
                : line)
            .Where(line => !line.StartsWith('@'))
            .ToList();
        var open = Body is null && head[^1].EndsWith("{~}", StringComparison.Ordinal);
        return [.. text.Bytes(Join(head, last: true)), .. open ? ""u8 : "\r\n"u8, .. body];
    }

    private static string Join(IReadOnlyList<string> lines, bool last)
    {
        var text = new StringBuilder();
        for (var index = 0; index < lines.Count; index++)
        {
            text.Append(lines[index]);
            var joined = lines[index].EndsWith("{~}", StringComparison.Ordinal);
            if (!joined && (last || index < lines.Count - 1))
            {
                text.Append("\r\n");
            }
        }

        return text.ToString();
    }

    private static byte[] Chunk(byte[] body, int size)
    {
        using var chunked = new MemoryStream();
        foreach (var piece in body.Chunk(size))
        {
            chunked.Write(Encoding.ASCII.GetBytes($"{piece.Length:x}\r\n"));
            chunked.Write(piece);
            chunked.Write("\r\n"u8);
        }

        chunked.Write("0\r\n\r\n"u8);
        return chunked.ToArray();
    }

    /// <summary>The number behind a directive, 0 when it stands alone, null when it is not there.</summary>
    private int? Directive(string name) => Head.FirstOrDefault(line => line == name || line.StartsWith(name + " ", StringComparison.Ordinal)) is { } line
        ? line.Length == name.Length ? 0 : int.Parse(line.AsSpan(name.Length + 1), CultureInfo.InvariantCulture)
        : null;
}
