using System.Globalization;
using System.Text;

namespace FastListener.Cli;

/// <summary>
/// File names for parts of one object. What a sender calls a part is a hint, never a path: only its last component is
/// looked at, anything a file system, a shell or a terminal could take for something else becomes an underscore, and no
/// name is given twice.
/// </summary>
internal sealed class SafeFileNames
{
    private const int MaxBytes = 120;
    private static readonly char[] Slashes = ['/', '\\'];
    private static readonly string[] ReservedOnWindows = ["CON", "PRN", "AUX", "NUL", "COM", "LPT"];

    private readonly HashSet<string> _given = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>A name for the part, unlike every one given before.</summary>
    public string Next(string fileName, string partName, int index)
    {
        var name = Clean(fileName) ?? Clean(partName) ?? string.Create(CultureInfo.InvariantCulture, $"part-{index}");
        var unique = name;
        for (var suffix = 2; !_given.Add(unique); suffix++)
        {
            var extension = Path.GetExtension(name);
            unique = string.Create(CultureInfo.InvariantCulture, $"{name.AsSpan(0, name.Length - extension.Length)}-{suffix}{extension}");
        }

        return unique;
    }

    /// <summary>A harmless name, or null when nothing of it is left.</summary>
    internal static string? Clean(string text)
    {
        var last = text.AsSpan(text.LastIndexOfAny(Slashes) + 1);
        var clean = new StringBuilder(last.Length);
        foreach (var rune in last.EnumerateRunes())
        {
            clean.Append(IsHarmless(rune) ? rune.ToString() : "_");
        }

        // A leading dot hides, and two climb; a leading hyphen is an option to whatever is given the name.
        for (var i = 0; i < clean.Length && clean[i] is '.' or '-' or '~' or ' '; i++)
        {
            clean[i] = '_';
        }

        var name = Shorten(clean.ToString().TrimEnd('.', ' '));
        if (name.All(c => c == '_'))
        {
            return null;
        }

        var stem = name.AsSpan(0, name.IndexOf('.', StringComparison.Ordinal) is var dot and > 0 ? dot : name.Length);
        foreach (var reserved in ReservedOnWindows)
        {
            if (stem.StartsWith(reserved, StringComparison.OrdinalIgnoreCase) &&
                (stem.Length == 3 || (stem.Length == 4 && char.IsAsciiDigit(stem[3]))))
            {
                return "_" + name;
            }
        }

        return name;
    }

    private static bool IsHarmless(Rune rune) => rune.IsAscii
        ? char.IsAsciiLetterOrDigit((char)rune.Value) || " ._-+@()[]{}=,~#!^%".Contains((char)rune.Value, StringComparison.Ordinal)
        : Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    /// <summary>Leaves room for a suffix below the 255 bytes of common file systems, and keeps a short extension.</summary>
    private static string Shorten(string name)
    {
        if (Encoding.UTF8.GetByteCount(name) <= MaxBytes)
        {
            return name;
        }

        var extension = Path.GetExtension(name);
        if (Encoding.UTF8.GetByteCount(extension) > 16)
        {
            extension = "";
        }

        var room = MaxBytes - Encoding.UTF8.GetByteCount(extension);
        var kept = new StringBuilder();
        foreach (var rune in name.AsSpan(0, name.Length - extension.Length).EnumerateRunes())
        {
            room -= rune.Utf8SequenceLength;
            if (room < 0)
            {
                break;
            }

            kept.Append(rune.ToString());
        }

        return kept.Append(extension).ToString();
    }
}
