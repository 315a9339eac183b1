using System.Text;
using FastListener.Storage;

namespace FastListener.Intake;

/// <summary>The formats a submission can have, and what their first bytes look like.</summary>
internal static class ReportFormat
{
    /// <summary>Bytes of a report that are enough to judge it by.</summary>
    public const int SniffBytes = 512;

    /// <summary>Reads the name of a format, in any case. False when it is none.</summary>
    public static bool TryParse(ReadOnlySpan<byte> name, out ObjectFormat format)
    {
        format = ObjectFormat.Unknown;
        if (Ascii.EqualsIgnoreCase(name, "minidump"u8)) { format = ObjectFormat.Minidump; }
        else if (Ascii.EqualsIgnoreCase(name, "json"u8)) { format = ObjectFormat.Json; }
        else if (Ascii.EqualsIgnoreCase(name, "plcrash"u8)) { format = ObjectFormat.Plcrash; }
        else if (Ascii.EqualsIgnoreCase(name, "btt"u8)) { format = ObjectFormat.Btt; }
        else if (Ascii.EqualsIgnoreCase(name, "symbols"u8)) { format = ObjectFormat.Symbols; }
        else if (Ascii.EqualsIgnoreCase(name, "proguard"u8) || Ascii.EqualsIgnoreCase(name, "symbols-proguard"u8)) { format = ObjectFormat.Proguard; }
        else if (Ascii.EqualsIgnoreCase(name, "sourcemap"u8)) { format = ObjectFormat.Sourcemap; }
        return format is not ObjectFormat.Unknown;
    }

    /// <summary>Whether uploads of this format are symbols and the like, with their own capability and limit.</summary>
    public static bool IsSymbols(ObjectFormat format) =>
        format is ObjectFormat.Symbols or ObjectFormat.Proguard or ObjectFormat.Sourcemap;

    /// <summary>What the first bytes of a report say it is; <see cref="ObjectFormat.Unknown"/> when they say nothing.</summary>
    public static ObjectFormat Sniff(ReadOnlySpan<byte> head)
    {
        if (IsMinidump(head))
        {
            return ObjectFormat.Minidump;
        }

        if (head.StartsWith("plcrash"u8))
        {
            return ObjectFormat.Plcrash;
        }

        return StartsAsJson(head) ? ObjectFormat.Json : ObjectFormat.Unknown;
    }

    /// <summary>The compression that the first bytes name, or empty. The bytes are kept as sent.</summary>
    public static ReadOnlySpan<byte> Compression(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B])) { return "gzip"u8; }
        if (head.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD])) { return "zstd"u8; }
        if (head.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0x00])) { return "xz"u8; }
        return head.StartsWith("BZh"u8) ? "bzip2"u8 : default;
    }

    /// <summary>Whether a report with these first bytes can be of the format it was sent as.</summary>
    /// <param name="format">What the sender called it.</param>
    /// <param name="head">Its first bytes, up to <see cref="SniffBytes"/>.</param>
    /// <param name="length">Its length so far; equal to the length of <paramref name="head"/> when that is all of it.</param>
    public static RejectReason Judge(ObjectFormat format, ReadOnlySpan<byte> head, long length)
    {
        if (length == 0)
        {
            return RejectReason.EmptyBody;
        }

        return format switch
        {
            ObjectFormat.Minidump when !IsMinidump(head) && Compression(head).IsEmpty => RejectReason.NotAMinidump,
            ObjectFormat.Json when !StartsAsJson(head) => RejectReason.NotJson,
            ObjectFormat.Plcrash when !head.StartsWith("plcrash"u8) => RejectReason.NotPlcrash,
            _ => RejectReason.None,
        };
    }

    /// <summary>A half-sentence for the person who sent the wrong thing: what it looks like. ASCII, never echoes the bytes.</summary>
    public static string Describe(ReadOnlySpan<byte> head)
    {
        var compression = Compression(head);
        if (IsMinidump(head)) { return "it looks like a minidump: send it with format=minidump"; }
        if (head.StartsWith("plcrash"u8)) { return "it looks like a PLCrashReporter report: send it with format=plcrash"; }
        if (!compression.IsEmpty) { return $"it looks like {Encoding.ASCII.GetString(compression)} data: label it with Content-Encoding"; }
        if (head.StartsWith((ReadOnlySpan<byte>)[0x7F, (byte)'E', (byte)'L', (byte)'F'])) { return "it looks like an ELF file or core dump"; }
        if (head.StartsWith("PK\u0003\u0004"u8)) { return "it looks like a zip archive"; }
        if (head.StartsWith("--"u8)) { return "it looks like a multipart form: send it with Content-Type: multipart/form-data"; }
        if (StartsAsJson(head)) { return "it looks like JSON: send it with format=json"; }
        if (head.StartsWith("<"u8)) { return "it looks like XML or HTML"; }
        if (IsText(head))
        {
            return LooksLikePath(head)
                ? "it looks like the path of a file: was the @ in front of the file name forgotten (curl --data-binary @file)?"
                : "it looks like text";
        }

        return "it looks like binary data of another kind";
    }

    private static bool IsMinidump(ReadOnlySpan<byte> head) => head.StartsWith("MDMP"u8) || head.StartsWith("PMDM"u8);

    private static bool StartsAsJson(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
        {
            head = head[3..];
        }

        head = head.TrimStart(" \t\r\n"u8);
        return !head.IsEmpty && head[0] == (byte)'{';
    }

    private static bool IsText(ReadOnlySpan<byte> head) =>
        !head.IsEmpty && !head.ContainsAnyInRange((byte)0, (byte)8) && !head.ContainsAnyInRange((byte)14, (byte)31);

    private static bool LooksLikePath(ReadOnlySpan<byte> head)
    {
        var text = head.TrimEnd("\r\n"u8);
        return text.Length < 300
            && !text.ContainsAny((byte)'\n', (byte)'{')
            && (text.ContainsAny((byte)'/', (byte)'\\', (byte)'@')
                || text.EndsWith(".dmp"u8) || text.EndsWith(".json"u8) || text.EndsWith(".mdmp"u8) || text.EndsWith(".plcrash"u8));
    }
}
