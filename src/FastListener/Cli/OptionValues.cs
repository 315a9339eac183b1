using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using FastListener.Storage;

namespace FastListener.Cli;

/// <summary>How the values of options and arguments are read. What cannot be read is named, together with all else that cannot.</summary>
internal static class OptionValues
{
    /// <summary>The environment variable that stands in for <c>--data</c>.</summary>
    public const string DataVariable = "FASTLISTENER_Data";

    private const long MaxSeconds = 1_000L * 365 * 86_400;

    /// <summary>The data directory; without the option the one that the environment names, else <c>./data</c>, as serve takes it.</summary>
    public static Option<string> Data() => new Option<string>("--data")
    {
        Description = "The data directory.",
        HelpName = "DIR",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(DataVariable) ?? "./data",
    }.RefuseEmpty("a directory", DataVariable);

    /// <summary>Makes an empty path a fault of usage, be it the option's or that of the environment variable that stands in for it.</summary>
    public static Option<T> RefuseEmpty<T>(this Option<T> option, string what, string? variable = null)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Any(token => token.Value.Length == 0))
            {
                result.AddError($"{option.Name} takes {what}, not ''.");
            }
            else if (result.Tokens.Count == 0 && variable is not null && Environment.GetEnvironmentVariable(variable) is "")
            {
                result.AddError($"{variable} takes {what}, not ''.");
            }
        });
        return option;
    }

    public static Option<bool> Json() => new("--json") { Description = "Print JSON." };

    /// <summary>An option that may be repeated and takes NAME=VALUE; the first = divides, the value may be empty.</summary>
    public static Option<KeyValuePair<string, string>[]> Pairs(string name, string description) => new(name)
    {
        Description = description + " May be repeated.",
        HelpName = "K=V",
        DefaultValueFactory = _ => [],
        CustomParser = result =>
        {
            var pairs = new List<KeyValuePair<string, string>>();
            foreach (var token in result.Tokens)
            {
                var split = token.Value.IndexOf('=', StringComparison.Ordinal);
                if (split > 0)
                {
                    pairs.Add(new(token.Value[..split], token.Value[(split + 1)..]));
                }
                else
                {
                    result.AddError($"{name} takes NAME=VALUE, not '{TerminalText.Escape(token.Value)}'.");
                }
            }

            return [.. pairs];
        },
    };

    public static Argument<ObjectReference> Id() => new("ID")
    {
        Description = "An object: its _rxid, the same with zeros for the random part, or its short hex id.",
        CustomParser = result => Reference(result, result.Tokens[0].Value),
    };

    public static Argument<ObjectReference[]> Ids() => new("ID")
    {
        Description = "Objects: each its _rxid, the same with zeros for the random part, or its short hex id.",
        Arity = ArgumentArity.ZeroOrMore,
        CustomParser = result => [.. result.Tokens.Select(token => Reference(result, token.Value))],
    };

    /// <summary>A point in time, given as such or as how long ago it was.</summary>
    public static Option<DateTimeOffset?> Since(TimeProvider clock) => new("--since")
    {
        Description = "Only what was received since: a date or time (2025-03-01, 2025-03-01T12:30, UTC unless it says otherwise), " +
            "or how long ago (30s, 15m, 2h, 7d, 1w).",
        HelpName = "T",
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (TryReadTime(text, clock.GetUtcNow(), out var time))
            {
                return time;
            }

            result.AddError($"--since takes a date, a time or a duration such as 15m, 2h or 7d, not '{TerminalText.Escape(text)}'.");
            return null;
        },
    };

    internal static bool TryReadTime(string text, DateTimeOffset now, out DateTimeOffset time)
    {
        if (TryReadDuration(text, out var ago) && ago <= now - DateTimeOffset.UnixEpoch)
        {
            time = now - ago;
            return true;
        }

        string[] forms =
        [
            "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd' 'HH:mm", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", "yyyy-MM-dd' 'HH:mm:ss.FFFFFFF",
            "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd' 'HH:mm:ss.FFFFFFFK",
        ];
        return DateTimeOffset.TryParseExact(text, forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }

    private static bool TryReadDuration(string text, out TimeSpan duration)
    {
        duration = default;
        var seconds = text.Length < 2 ? 0 : text[^1] switch
        {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            _ => 0,
        };
        if (seconds == 0 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            return false;
        }

        var total = (long)count * seconds;
        duration = TimeSpan.FromSeconds(Math.Min(total, MaxSeconds));
        return total <= MaxSeconds;
    }

    /// <summary>Why the text names no object; null when it may.</summary>
    internal static string? FaultOfId(string text) => ObjectReference.TryParse(text, out _)
        ? null
        : $"'{TerminalText.Escape(text)}' is not an object's id: give its _rxid or its short hex id.";

    private static ObjectReference Reference(SymbolResult result, string text)
    {
        if (FaultOfId(text) is { } fault)
        {
            result.AddError(fault);
        }

        return ObjectReference.TryParse(text, out var reference) ? reference : default;
    }
}
