using System.Globalization;

namespace FastListener.Configuration;

/// <summary>
/// Reads settings out of a configuration and collects every fault instead of stopping at the first: a value that is none,
/// a value out of its range, a key that nothing reads.
/// </summary>
internal sealed class SettingsReader(IConfiguration configuration)
{
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>One sentence for each fault found so far.</summary>
    public List<string> Faults { get; } = [];

    public string Text(string key, string fallback) => Value(key) ?? fallback;

    public bool Switch(string key, bool fallback)
    {
        var text = Value(key);
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
        var text = Value(key);
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
            Faults.Add(most == long.MaxValue || most == int.MaxValue
                ? $"{key}: {value} is below {least}."
                : $"{key}: {value} is not between {least} and {most}.");
            return fallback;
        }

        return value;
    }

    /// <summary>A time in seconds.</summary>
    public TimeSpan Seconds(string key, TimeSpan fallback) =>
        TimeSpan.FromSeconds(Number(key, (long)fallback.TotalSeconds, 1, 86_400));

    /// <summary>Adds a fault for every key of these sections that nothing has read: a mistyped limit must not pass in silence.</summary>
    public void RefuseUnknown(params ReadOnlySpan<string> sections)
    {
        foreach (var section in sections)
        {
            foreach (var child in configuration.GetSection(section).GetChildren())
            {
                if (!_known.Contains(child.Path))
                {
                    Faults.Add($"{child.Path}: there is no such setting.");
                }
            }
        }
    }

    private string? Value(string key)
    {
        _known.Add(key);
        return configuration[key];
    }
}
