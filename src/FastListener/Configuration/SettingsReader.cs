using System.Globalization;

namespace FastListener.Configuration;

/// <summary>
/// Reads settings out of a configuration and collects every fault instead of stopping at the first: a value that is none,
/// a value out of its range, a key that nothing reads.
/// </summary>
internal sealed class SettingsReader(IConfiguration configuration)
{
    private readonly Dictionary<string, string> _known = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>One sentence for each fault found so far.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>Every setting that was asked for, with its default and its range in words.</summary>
    public IReadOnlyDictionary<string, string> Known => _known;

    /// <summary>A text; <paramref name="instead"/>, from the command line, beats what is configured.</summary>
    public string Text(string key, string fallback, string? instead = null)
    {
        var configured = Value(key, fallback.Length == 0 ? "(none)" : fallback);
        return instead ?? configured ?? fallback;
    }

    public bool Switch(string key, bool fallback)
    {
        var text = Value(key, fallback ? "true" : "false");
        if (text is null)
        {
            return fallback;
        }

        if (bool.TryParse(text, out var value))
        {
            return value;
        }

        Faults.Add($"{key}: '{text}' is neither true nor false.");
        return fallback;
    }

    public int Number(string key, int fallback, int least, int most = int.MaxValue) => (int)Number(key, (long)fallback, least, most);

    public long Number(string key, long fallback, long least, long most = long.MaxValue)
    {
        var range = most is long.MaxValue or int.MaxValue ? $"{least:#,0} or more" : $"{least:#,0} to {most:#,0}";
        return Number(key, fallback, least, most, range);
    }

    /// <summary>A number above which something is not taken; 0 takes any.</summary>
    public long Limit(string key, long fallback, long most = long.MaxValue) =>
        Number(key, fallback, 0, most, most is long.MaxValue ? "1 or more; 0: no limit" : $"1 to {most:#,0}; 0: no limit");

    /// <inheritdoc cref="Limit(string, long, long)"/>
    public int Limit(string key, int fallback, int most) => (int)Limit(key, (long)fallback, most);

    private long Number(string key, long fallback, long least, long most, string range)
    {
        var text = Value(key, string.Create(CultureInfo.InvariantCulture, $"{fallback:#,0} ({range})"));
        if (text is null)
        {
            return fallback;
        }

        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
        {
            Faults.Add($"{key}: '{text}' is not a whole number.");
            return fallback;
        }

        if (value < least || value > most)
        {
            Faults.Add(value < least
                ? $"{key}: {value} is below {least}."
                : $"{key}: {value} is above {most}.");
            return fallback;
        }

        return value;
    }

    /// <summary>A time in seconds.</summary>
    public TimeSpan Seconds(string key, TimeSpan fallback, int least = 1, int most = 86_400) =>
        TimeSpan.FromSeconds(Number(key, (long)fallback.TotalSeconds, least, most));

    /// <summary>A time in milliseconds.</summary>
    public TimeSpan Milliseconds(string key, TimeSpan fallback, int least, int most) =>
        TimeSpan.FromMilliseconds(Number(key, (long)fallback.TotalMilliseconds, least, most));

    /// <summary>What may be given up: words separated by commas, or a list of them as in <c>tokens.json</c>, or <c>none</c>.</summary>
    public Rungs Rungs(string key, Rungs fallback)
    {
        var words = string.Join(", ", RungWords.Known);
        var text = Value(key, $"{(fallback is Configuration.Rungs.None ? "none" : string.Join(',', RungWords.Of(fallback)))} (none, or of: {words})", isList: true);
        if (text is null)
        {
            return fallback;
        }

        if (RungWords.TryReadList(text, out var rungs))
        {
            return rungs;
        }

        Faults.Add($"{key}: '{text}' is neither none nor a list of: {words}.");
        return fallback;
    }

    /// <summary>
    /// Adds a fault for every section that is none of these and every key in them that nothing has read: a mistyped limit must not pass in silence. Single
    /// values outside of all sections are others' (an orchestrator may name variables after its service).
    /// </summary>
    /// <param name="foreign">A section that others read.</param>
    /// <param name="sections">Those that are read here.</param>
    public void RefuseUnknown(string foreign, params ReadOnlySpan<string> sections)
    {
        foreach (var section in configuration.GetChildren())
        {
            if (!sections.Contains(section.Key, StringComparer.OrdinalIgnoreCase))
            {
                if (section.GetChildren().Any() && !section.Key.Equals(foreign, StringComparison.OrdinalIgnoreCase))
                {
                    Faults.Add($"{section.Key}: there is no such section.");
                }

                continue;
            }

            if (!string.IsNullOrEmpty(section.Value))
            {
                Faults.Add($"{section.Key}: is a section, not a single value.");
            }

            foreach (var child in section.GetChildren())
            {
                if (!_known.ContainsKey(child.Path))
                {
                    Faults.Add($"{child.Path}: there is no such setting.");
                }
            }
        }
    }

    /// <summary>Adds a fault for every log level that is none: who reads them would end the process over it.</summary>
    public void CheckLogLevels(string section)
    {
        foreach (var (key, text) in configuration.GetSection(section).AsEnumerable())
        {
            var path = key.Split(ConfigurationPath.KeyDelimiter); // Logging:LogLevel:CATEGORY or Logging:PROVIDER:LogLevel:CATEGORY
            var isLevel = path is [_, var all, _, ..] && IsLevel(all) || path is [_, _, var one, _, ..] && IsLevel(one);
            if (isLevel && !string.IsNullOrEmpty(text) && !Enum.TryParse<LogLevel>(text, ignoreCase: true, out _))
            {
                Faults.Add($"{key}: '{text}' is none of {string.Join(", ", Enum.GetNames<LogLevel>())}.");
            }
        }
    }

    private static bool IsLevel(string word) => word.Equals("LogLevel", StringComparison.OrdinalIgnoreCase);

    private string? Value(string key, string fallback, bool isList = false)
    {
        _known.TryAdd(key, fallback);
        var section = configuration.GetSection(key);
        var items = section.GetChildren().ToArray();
        if (items.Length == 0)
        {
            return section.Value;
        }

        if (isList && items.All(item => item.Value is not null))
        {
            return string.Join(',', items.Select(item => item.Value));
        }

        Faults.Add($"{key}: is a single value, not a list or a section.");
        return null;
    }
}
