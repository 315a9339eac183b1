namespace FastListener.Storage;

/// <summary>What a submission's report is, as its sender named it or as its first bytes showed. The values are stored: never renumber.</summary>
public enum ObjectFormat : byte
{
    /// <summary>Nobody said, nothing was recognised.</summary>
    Unknown = 0,

    /// <summary>A minidump (<c>MDMP</c>), possibly compressed.</summary>
    Minidump = 1,

    /// <summary>A JSON report.</summary>
    Json = 2,

    /// <summary>A PLCrashReporter report.</summary>
    Plcrash = 3,

    /// <summary>A btt snapshot.</summary>
    Btt = 4,

    /// <summary>Debug symbols.</summary>
    Symbols = 5,

    /// <summary>A ProGuard mapping.</summary>
    Proguard = 6,

    /// <summary>A JavaScript source map.</summary>
    Sourcemap = 7,
}

/// <summary>The wire words of <see cref="ObjectFormat"/>.</summary>
public static class ObjectFormats
{
    private static readonly string[] Names = ["unknown", "minidump", "json", "plcrash", "btt", "symbols", "proguard", "sourcemap"];

    /// <summary>The lower-case word, as the <c>format</c> parameter spells it.</summary>
    public static string Name(this ObjectFormat format) =>
        (int)format < Names.Length ? Names[(int)format] : Names[0];

    /// <summary>Reads a format word, in any case. <c>unknown</c> is not a word a sender may use.</summary>
    public static bool TryParse(ReadOnlySpan<byte> word, out ObjectFormat format)
    {
        for (var i = 1; i < Names.Length; i++)
        {
            if (System.Text.Ascii.EqualsIgnoreCase(word, Names[i]))
            {
                format = (ObjectFormat)i;
                return true;
            }
        }

        format = ObjectFormat.Unknown;
        return false;
    }
}
