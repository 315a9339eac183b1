namespace FastListener.TestInputs;

/// <summary>The forms that tests and benchmarks share, by name. Made when first asked for, then kept; the same bytes every time.</summary>
public static class NamedForms
{
    private const int Kibi = 1024;
    private const int Mebi = 1024 * Kibi;

    private static readonly Dictionary<string, Lazy<CrashForm>> Forms = new()
    {
        [Crashpad20K] = new(() => CrashForm.Crashpad(20 * Kibi, length => SeededBytes.DumpLike(length, 20))),
        [Crashpad1M] = new(() => CrashForm.Crashpad(Mebi, length => SeededBytes.DumpLike(length, 21))),
        [Crashpad64M] = new(() => CrashForm.Crashpad(64 * Mebi, length => SeededBytes.Noise(length, 22))),
        [AlmostBoundaries1M] = new(() => CrashForm.Crashpad(Mebi, length => AlmostBoundaries.Fill(length, CrashForm.CrashpadBoundary))),
        [AlmostBoundaries64M] = new(() => CrashForm.Crashpad(64 * Mebi, length => AlmostBoundaries.Fill(length, CrashForm.CrashpadBoundary))),
        [Attachments] = new(WithAttachments),
    };

    /// <summary>45 attributes and a dump, 20 KiB in all: the ordinary crash.</summary>
    public const string Crashpad20K = "crashpad-20k";

    /// <summary>45 attributes and a dump that compresses as dumps do, 1 MiB in all.</summary>
    public const string Crashpad1M = "crashpad-1m";

    /// <summary>45 attributes and noise, 64 MiB in all: more than any cache holds.</summary>
    public const string Crashpad64M = "crashpad-64m";

    /// <summary>45 attributes and a file full of almost-boundaries, 1 MiB in all.</summary>
    public const string AlmostBoundaries1M = "almost-boundaries-1m";

    /// <summary>The same, 64 MiB in all.</summary>
    public const string AlmostBoundaries64M = "almost-boundaries-64m";

    /// <summary>45 attributes, a dump of 20 KiB and 16 attachments from 0 bytes to 32 KiB.</summary>
    public const string Attachments = "attachments";

    /// <summary>Every name.</summary>
    public static IReadOnlyCollection<string> Names => Forms.Keys;

    /// <summary>The form of that name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public static CrashForm Get(string name) => Forms[name].Value;

    private static CrashForm WithAttachments()
    {
        var ordinary = Get(Crashpad20K).Parts;
        var attachments = Enumerable.Range(0, 16).Select(i => new FormPart(
            $"attachment_{i}.log", $"{i}.log", "text/plain", SeededBytes.DumpLike(i == 0 ? 0 : 1 << i, (ulong)i).AsMemory()));
        return CrashForm.Of(CrashForm.CrashpadBoundary, [.. ordinary, .. attachments]);
    }
}
