using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace FastListener.Load.Inputs;

/// <summary>Builds multipart bodies the way Crashpad does: fields in key order, then files.</summary>
internal static class CrashForm
{
    public const string Boundary = "---MultipartBoundary-q7Rk2WvXz9LmT4bNc8Hs5JdPf3GyA6Ue---";

    private const int BlockBytes = 1024 * 1024;
    private static readonly Lazy<PinnedBytes> s_noise = new(() =>
    {
        var block = new byte[BlockBytes];
        DeterministicBytes.Fill(block, 20);
        return new PinnedBytes(block);
    });

    /// <summary>The fields a Crashpad handler in an Electron application sends; the first twelve are on every report.</summary>
    public static IReadOnlyList<(string Name, string Value)> Attributes(int count)
    {
        (string, string)[] known =
        [
            ("guid", "5d6c0a6e-7f1b-4b5e-9a51-1f0f6d2f7a11"), ("prod", "Electron"), ("ver", "31.2.1"), ("ptype", "renderer"),
            ("plat", "linux"), ("pid", "41172"), ("_productName", "Studio"), ("_version", "4.8.0"), ("_companyName", "Example"),
            ("process_type", "renderer"), ("platform", "linux"), ("lsb-release", "Debian GNU/Linux 12 (bookworm)"),
            ("application", "studio"), ("application.version", "4.8.0"), ("application.session", "0c9f8d3e-53cb-4a1e-8d1d-7d8f5b2a9f10"),
            ("error.type", "Crash"), ("uname.sysname", "Linux"), ("uname.version", "6.1.0-31-amd64"), ("uname.machine", "x86_64"),
            ("cpu.brand", "AMD Ryzen 7 5800X 8-Core Processor"), ("cpu.count", "16"), ("hostname", "build-host-17"), ("process.age", "8123"),
            ("vm.rss.size", "412876800"), ("vm.vma.size", "1192837120"), ("system.memory.total", "33567735808"), ("system.memory.free", "1827364864"),
            ("gpu-driver", "23.3.5"), ("gpu-venid", "0x1002"), ("gpu-devid", "0x73df"), ("gpu-gl-vendor", "AMD"), ("osarch", "x86_64"),
            ("num-experiments", "2"), ("switch-1", "--type=renderer"), ("switch-2", "--lang=en-GB"), ("switch-3", "--enable-crash-reporter"),
            ("url-chunk", "app://studio/index.html"), ("v8-oom-stack", ""), ("backtrace.agent", "backtrace-electron"), ("backtrace.version", "0.6.0"),
        ];
        var attributes = new List<(string, string)>(count);
        for (var i = 0; i < count; i++)
        {
            attributes.Add(i < known.Length
                ? known[i]
                : (string.Create(CultureInfo.InvariantCulture, $"custom.key.{i:00}"), string.Create(CultureInfo.InvariantCulture, $"value {i} of this session")));
        }

        attributes.Sort((a, b) => string.CompareOrdinal(a.Item1, b.Item1));
        return attributes;
    }

    /// <summary>A multipart form of exactly <paramref name="totalBytes"/> with a dump of noise that carries the sequence number.</summary>
    public static SubmissionBody Form(string name, string description, long totalBytes, int attributes)
    {
        var prefix = new MemoryStream();
        Fields(prefix, attributes);
        FileHead(prefix, "upload_file_minidump", "7b1c4c1e-57d0-4b42-9e9a-2f3f1d6a7c10.dmp", "application/octet-stream");
        var dumpAt = prefix.Length;
        DumpHead(prefix);
        var tail = new PinnedBytes(Encoding.ASCII.GetBytes($"\r\n--{Boundary}--\r\n"));
        var dumpLength = totalBytes - dumpAt - tail.Length;
        var pieces = Noise(dumpLength - (prefix.Length - dumpAt));
        pieces.Add(new Piece(tail, 0, tail.Length));
        var wire = new ByteImage(prefix.ToArray(), (int)dumpAt + DumpSequenceAt, pieces);
        return new SubmissionBody
        {
            Name = name,
            Description = description,
            ContentType = $"multipart/form-data; boundary={Boundary}",
            Wire = wire,
            Report = wire,
            ReportOffset = dumpAt,
            ReportLength = dumpLength,
        };
    }

    /// <summary>A dump alone, as <c>curl --data-binary</c> sends it.</summary>
    public static SubmissionBody Raw(string name, string description, long totalBytes)
    {
        var prefix = new MemoryStream();
        DumpHead(prefix);
        var wire = new ByteImage(prefix.ToArray(), DumpSequenceAt, Noise(totalBytes - prefix.Length));
        return new SubmissionBody
        {
            Name = name,
            Description = description,
            ContentType = "application/x-www-form-urlencoded",
            Wire = wire,
            Report = wire,
            ReportLength = totalBytes,
        };
    }

    /// <summary>What Crashpad sends by default: the whole form through gzip, chunked, no length.</summary>
    public static SubmissionBody GzipChunked(string name, string description, int attributes, int dumpBytes)
    {
        var dump = DeterministicBytes.DumpLike(dumpBytes, 77);
        var head = new MemoryStream();
        DumpHead(head);
        head.ToArray().CopyTo(dump, 0);

        var form = new MemoryStream();
        Fields(form, attributes);
        FileHead(form, "upload_file_minidump", "7b1c4c1e-57d0-4b42-9e9a-2f3f1d6a7c10.dmp", "application/octet-stream");
        form.Write(dump);
        form.Write(Encoding.ASCII.GetBytes($"\r\n--{Boundary}--\r\n"));

        var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Optimal, leaveOpen: true))
        {
            form.WriteTo(gzip);
        }

        return new SubmissionBody
        {
            Name = name,
            Description = description,
            ContentType = $"multipart/form-data; boundary={Boundary}",
            ContentEncoding = "gzip",
            Chunked = true,
            Wire = new ByteImage([], -1, [Whole(Chunks(zipped.ToArray(), 16 * 1024))]),
            Report = new ByteImage([], -1, [Whole(dump)]),
            ReportLength = dump.Length,
        };
    }

    /// <summary>A dump with a log, a settings file and a screenshot.</summary>
    public static SubmissionBody WithAttachments(string name, string description)
    {
        var prefix = new MemoryStream();
        Fields(prefix, 12);
        FileHead(prefix, "upload_file_minidump", "7b1c4c1e-57d0-4b42-9e9a-2f3f1d6a7c10.dmp", "application/octet-stream");
        var dumpAt = prefix.Length;
        DumpHead(prefix);
        var pieces = Noise((20 * 1024) - (prefix.Length - dumpAt));
        var rest = new MemoryStream();
        Attachments(rest);
        pieces.Add(Whole(rest.ToArray()));
        var wire = new ByteImage(prefix.ToArray(), (int)dumpAt + DumpSequenceAt, pieces);
        return new SubmissionBody
        {
            Name = name,
            Description = description,
            ContentType = $"multipart/form-data; boundary={Boundary}",
            Wire = wire,
            Report = wire,
            ReportOffset = dumpAt,
            ReportLength = 20 * 1024,
            Payloads = 4,
        };
    }

    /// <summary>A JSON report by itself, as the managed clients send it.</summary>
    public static SubmissionBody Json(string name, string description)
    {
        var (report, sequenceAt) = JsonReport.Build();
        var wire = new ByteImage(report, sequenceAt, []);
        return new SubmissionBody
        {
            Name = name,
            Description = description,
            ContentType = "application/json",
            Wire = wire,
            Report = wire,
            ReportLength = report.Length,
            Format = "json",
        };
    }

    /// <summary>A JSON report as a file part, with attachments behind it.</summary>
    public static SubmissionBody JsonWithAttachments(string name, string description)
    {
        var (report, sequenceAt) = JsonReport.Build();
        var prefix = new MemoryStream();
        FileHead(prefix, "upload_file", "upload_file.json", "application/json");
        var reportAt = prefix.Length;
        prefix.Write(report);
        var rest = new MemoryStream();
        Attachments(rest);
        var wire = new ByteImage(prefix.ToArray(), (int)reportAt + sequenceAt, [Whole(rest.ToArray())]);
        return new SubmissionBody
        {
            Name = name,
            Description = description,
            ContentType = $"multipart/form-data; boundary={Boundary}",
            Wire = wire,
            Report = wire,
            ReportOffset = reportAt,
            ReportLength = report.Length,
            Payloads = 4,
            Format = "json",
        };
    }

    /// <summary>A log posted later to an object that exists.</summary>
    public static SubmissionBody Log(string name, string description)
    {
        var text = LogText(8 * 1024);
        var wire = new ByteImage([], -1, [Whole(text)]);
        return new SubmissionBody { Name = name, Description = description, ContentType = "text/plain", Wire = wire, Report = wire, ReportLength = text.Length };
    }

    private const int DumpSequenceAt = 32;

    /// <summary>Signature and version of a minidump, a plausible header, then the place of the sequence number.</summary>
    private static void DumpHead(MemoryStream output)
    {
        output.Write("MDMP"u8);
        output.Write([0x93, 0xA7, 0x00, 0x00, 0x0D, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00, 0x00]);
        output.Write(new byte[DumpSequenceAt - 16]);
        output.Write(ByteImage.SequencePlaceholder);
    }

    private static void Fields(MemoryStream output, int count)
    {
        foreach (var (name, value) in Attributes(count))
        {
            output.Write(Encoding.UTF8.GetBytes($"--{Boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
        }
    }

    private static void FileHead(MemoryStream output, string name, string fileName, string contentType) =>
        output.Write(Encoding.UTF8.GetBytes(
            $"--{Boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{fileName}\"\r\nContent-Type: {contentType}\r\n\r\n"));

    private static void Attachments(MemoryStream output)
    {
        output.Write("\r\n"u8);
        FileHead(output, "attachment_main.log", "main.log", "text/plain");
        output.Write(LogText(8 * 1024));
        output.Write("\r\n"u8);
        FileHead(output, "attachment_settings.json", "settings.json", "application/json");
        output.Write(Encoding.UTF8.GetBytes("{" + string.Join(",", Attributes(40).Select(a => $"\"{a.Name}\":\"{a.Value}\"")) + "}"));
        output.Write("\r\n"u8);
        FileHead(output, "attachment_screen.png", "screen.png", "image/png");
        var picture = new byte[100 * 1024];
        DeterministicBytes.Fill(picture, 5);
        output.Write(picture);
        output.Write(Encoding.ASCII.GetBytes($"\r\n--{Boundary}--\r\n"));
    }

    private static byte[] LogText(int bytes)
    {
        var text = new StringBuilder(bytes + 80);
        for (var line = 0; text.Length < bytes; line++)
        {
            text.Append(CultureInfo.InvariantCulture, $"2031-05-17T09:{line / 60 % 60:00}:{line % 60:00}.{line * 37 % 1000:000}Z info  renderer frame {line} drawn in {line % 17} ms\n");
        }

        return Encoding.ASCII.GetBytes(text.ToString(0, bytes));
    }

    private static List<Piece> Noise(long length)
    {
        var pieces = new List<Piece>();
        for (; length > 0; length -= BlockBytes)
        {
            pieces.Add(new Piece(s_noise.Value, 0, (int)Math.Min(BlockBytes, length)));
        }

        return pieces;
    }

    private static Piece Whole(byte[] bytes)
    {
        var pinned = new PinnedBytes(bytes);
        return new Piece(pinned, 0, pinned.Length);
    }

    private static byte[] Chunks(byte[] body, int chunkBytes)
    {
        var output = new MemoryStream();
        for (var at = 0; at < body.Length; at += chunkBytes)
        {
            var take = Math.Min(chunkBytes, body.Length - at);
            output.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{take:x}\r\n")));
            output.Write(body, at, take);
            output.Write("\r\n"u8);
        }

        output.Write("0\r\n\r\n"u8);
        return output.ToArray();
    }
}
