using System.Globalization;
using System.Text.Json;
using FastListener.Configuration;

namespace FastListener.Tokens;

/// <summary>The limits of a token as members of a JSON object and as <c>key=value</c> of the command line: one table for both.</summary>
internal static class TokenLimitWords
{
    private const string Degrade = "degrade";

    private static readonly Row[] Rows =
    [
        new("maxBodyBytes", 0, long.MaxValue, limits => limits.MaxBodyBytes, (limits, value) => limits with { MaxBodyBytes = value }),
        new("maxWireBytes", 0, long.MaxValue, limits => limits.MaxWireBytes, (limits, value) => limits with { MaxWireBytes = value }),
        new("maxAttachments", 0, 1_000_000, limits => limits.MaxAttachments, (limits, value) => limits with { MaxAttachments = (int?)value }),
        new("maxAttachmentBytes", 0, long.MaxValue, limits => limits.MaxAttachmentBytes, (limits, value) => limits with { MaxAttachmentBytes = value }),
        new("maxUploads", 0, 1_000_000, limits => limits.MaxUploads, (limits, value) => limits with { MaxUploads = (int?)value }),
        new("bytesPerSecond", 0, long.MaxValue, limits => limits.BytesPerSecond, (limits, value) => limits with { BytesPerSecond = value }),
        new("burstBytes", 1, long.MaxValue, limits => limits.BurstBytes, (limits, value) => limits with { BurstBytes = value }),
        new("requestSeconds", 0, 31 * 86_400, limits => limits.RequestSeconds, (limits, value) => limits with { RequestSeconds = (int?)value }),
    ];

    /// <summary>Every key, in the order in which they are written.</summary>
    public static IReadOnlyList<string> Known { get; } = [.. Rows.Select(row => row.Key), Degrade];

    /// <summary>Reads the object and names every fault in it.</summary>
    public static TokenLimits Read(JsonElement json, Action<string> fault)
    {
        var limits = TokenLimits.None;
        foreach (var member in json.EnumerateObject())
        {
            if (member.Name == Degrade)
            {
                limits = limits with { Degrade = ReadRungs(member.Value, fault) };
            }
            else if (Array.Find(Rows, row => row.Key == member.Name) is not { } row)
            {
                fault($"unknown limit \"{Short(member.Name)}\" (known: {string.Join(", ", Known)})");
            }
            else if (member.Value.ValueKind is not JsonValueKind.Number || !member.Value.TryGetInt64(out var value) || value < row.Least || value > row.Most)
            {
                fault($"limit \"{row.Key}\" is not a whole number {row.Range}");
            }
            else
            {
                limits = row.Set(limits, value);
            }
        }

        return limits;
    }

    /// <summary>Writes the object, without what is not set.</summary>
    public static void Write(Utf8JsonWriter json, TokenLimits limits)
    {
        json.WriteStartObject();
        foreach (var row in Rows)
        {
            if (row.Get(limits) is { } value)
            {
                json.WriteNumber(row.Key, value);
            }
        }

        if (limits.Degrade is { } rungs)
        {
            json.WriteStartArray(Degrade);
            foreach (var word in RungWords.Of(rungs))
            {
                json.WriteStringValue(word);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    /// <summary>What is set, as <c>key=value</c>.</summary>
    public static IEnumerable<string> Describe(TokenLimits limits)
    {
        foreach (var row in Rows)
        {
            if (row.Get(limits) is { } value)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"{row.Key}={value}");
            }
        }

        if (limits.Degrade is { } rungs)
        {
            yield return $"{Degrade}={(rungs is Rungs.None ? "none" : string.Join(',', RungWords.Of(rungs)))}";
        }
    }

    /// <summary>Applies one <c>key=value</c>; without a value the key's own setting is dropped again. False: <paramref name="fault"/> says why.</summary>
    public static bool TryApply(ref TokenLimits limits, string assignment, out string fault)
    {
        var at = assignment.IndexOf('=', StringComparison.Ordinal);
        var key = at < 0 ? assignment : assignment[..at];
        var text = at < 0 ? "" : assignment[(at + 1)..];
        fault = "";
        if (at <= 0)
        {
            fault = $"takes KEY=VALUE, not '{Short(assignment)}'";
        }
        else if (key == Degrade)
        {
            if (text.Length == 0)
            {
                limits = limits with { Degrade = null };
            }
            else if (RungWords.TryReadList(text, out var rungs))
            {
                limits = limits with { Degrade = rungs };
            }
            else
            {
                fault = $"{Degrade} is none, or of: {string.Join(',', RungWords.Known)}; not '{Short(text)}'";
            }
        }
        else if (Array.Find(Rows, row => row.Key == key) is not { } row)
        {
            fault = $"knows {string.Join(", ", Known)}, not '{Short(key)}'";
        }
        else if (text.Length == 0)
        {
            limits = row.Set(limits, null);
        }
        else if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) || value < row.Least || value > row.Most)
        {
            fault = $"{key} takes a whole number {row.Range}, not '{Short(text)}'";
        }
        else
        {
            limits = row.Set(limits, value);
        }

        return fault.Length == 0;
    }

    private static Rungs? ReadRungs(JsonElement value, Action<string> fault)
    {
        if (value.ValueKind is not JsonValueKind.Array)
        {
            fault($"limit \"{Degrade}\" is not an array");
            return null;
        }

        var rungs = Rungs.None;
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind is JsonValueKind.String && RungWords.TryRead(TextOf(item), out var rung))
            {
                rungs |= rung;
            }
            else
            {
                fault($"limit \"{Degrade}\" holds something else than {string.Join(", ", RungWords.Known)}");
            }
        }

        return rungs;
    }

    private static string TextOf(JsonElement item)
    {
        try
        {
            return item.GetString() ?? "";
        }
        catch (InvalidOperationException)
        {
            return ""; // half of a surrogate pair: JSON allows the escape, but it is no text
        }
    }

    /// <summary>Cut short and harmless: a token may have been put where it does not belong.</summary>
    private static string Short(string text) =>
        string.Concat((text.Length > 24 ? text[..24] + "…" : text).Select(c => char.IsControl(c) ? '?' : c));

    private sealed record Row(string Key, long Least, long Most, Func<TokenLimits, long?> Get, Func<TokenLimits, long?, TokenLimits> Set)
    {
        public string Range => Most is long.MaxValue
            ? string.Create(CultureInfo.InvariantCulture, $"of {Least} or more")
            : string.Create(CultureInfo.InvariantCulture, $"between {Least} and {Most}");
    }
}
