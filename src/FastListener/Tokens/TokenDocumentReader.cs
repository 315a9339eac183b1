using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace FastListener.Tokens;

/// <summary>
/// Reads tokens.json and names every fault at once. Strict, because a mistyped <c>enabled</c> that is silently passed
/// over leaves open what somebody meant to shut.
/// </summary>
internal sealed class TokenDocumentReader
{
    private const int MaxNameLength = 128;
    private const int MaxQuoted = 24;

    private readonly List<string> _faults = [];

    private TokenDocumentReader()
    {
    }

    /// <summary>False when there is any fault; <paramref name="faults"/> then names them all, in the file's order.</summary>
    public static bool TryRead(
        ReadOnlyMemory<byte> utf8, [NotNullWhen(true)] out TokenDocument? document, out IReadOnlyList<string> faults)
    {
        var reader = new TokenDocumentReader();
        var read = reader.Read(utf8);
        faults = reader._faults;
        document = reader._faults.Count == 0 ? read : null;
        return document is not null;
    }

    /// <summary>Why a name cannot be a universe or a project; null when it can.</summary>
    public static string? FaultOfName(string? name) => name switch
    {
        null => "is missing or not a string",
        _ when string.IsNullOrWhiteSpace(name) => "is empty",
        { Length: > MaxNameLength } => $"is longer than {MaxNameLength} characters",
        _ when name.AsSpan().ContainsAny('/', '\\') => "contains a slash",
        _ when name.Any(char.IsControl) => "contains a control character",
        _ => null,
    };

    private TokenDocument? Read(ReadOnlyMemory<byte> utf8)
    {
        if (utf8.Span.StartsWith("\uFEFF"u8))
        {
            utf8 = utf8[3..];
        }

        if (!Utf8.IsValid(utf8.Span))
        {
            _faults.Add("it is not UTF-8");
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(utf8, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return ReadRoot(json.RootElement);
        }
        catch (JsonException fault)
        {
            // The reader's own message may quote what it stumbled over, which may be a token without its quotes.
            _faults.Add(fault is { LineNumber: { } line, BytePositionInLine: { } column }
                ? $"it is not valid JSON at line {line + 1}, byte {column + 1}"
                : "it is not valid JSON: a member is repeated");
            return null;
        }
        catch (InvalidOperationException)
        {
            _faults.Add("a member's name is not text: it escapes half of a surrogate pair");
            return null;
        }
    }

    private TokenDocument? ReadRoot(JsonElement root)
    {
        if (root.ValueKind is not JsonValueKind.Object)
        {
            _faults.Add("it is not a JSON object");
            return null;
        }

        var projects = ImmutableArray.CreateBuilder<ProjectEntry>();
        var tokens = ImmutableArray.CreateBuilder<TokenEntry>();
        var firstSeen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var member in root.EnumerateObject())
        {
            switch (member.Name)
            {
                case "version":
                    if (member.Value.ValueKind is not JsonValueKind.Number || !member.Value.TryGetInt32(out var version) || version != TokenDocument.FormatVersion)
                    {
                        _faults.Add($"\"version\" is not {TokenDocument.FormatVersion}, the only one this program reads");
                    }

                    break;
                case "projects":
                    foreach (var (where, _, element) in ObjectsOf("projects", member.Value))
                    {
                        if (ReadProject(where, element) is { } project && !projects.Contains(project))
                        {
                            projects.Add(project);
                        }
                    }

                    break;
                case "tokens":
                    foreach (var (where, index, element) in ObjectsOf("tokens", member.Value))
                    {
                        if (ReadToken(where, index, element, firstSeen) is { } token)
                        {
                            tokens.Add(token);
                        }
                    }

                    break;
                default:
                    _faults.Add($"unknown member {Quoted(member.Name)}");
                    break;
            }
        }

        return new(projects.ToImmutable(), tokens.ToImmutable());
    }

    private ProjectEntry? ReadProject(string where, JsonElement element)
    {
        string? universe = null, project = null;
        foreach (var member in element.EnumerateObject())
        {
            switch (member.Name)
            {
                case "universe": universe = TextOf(member.Value); break;
                case "project": project = TextOf(member.Value); break;
                default: _faults.Add($"{where}: unknown member {Quoted(member.Name)}"); break;
            }
        }

        CheckName(where, "universe", universe);
        CheckName(where, "project", project);
        return universe is not null && project is not null ? new(universe, project) : null;
    }

    private TokenEntry? ReadToken(string where, int index, JsonElement element, Dictionary<string, int> firstSeen)
    {
        TokenSecret? secret = null;
        if (element.TryGetProperty("token", out var value) && TextOf(value) is { Length: > 0 } token)
        {
            secret = new TokenSecret(token);
            where = $"{where} ({secret.Masked})";
            if (!firstSeen.TryAdd(token, index))
            {
                _faults.Add($"{where}: the same token as tokens[{firstSeen[token]}]");
            }
        }
        else
        {
            _faults.Add($"{where}: \"token\" is missing, empty or not a string");
        }

        string? universe = null, project = null;
        TokenLimits? limits = null;
        var capabilities = Capabilities.ErrorPost; // a submission token that says no more
        var enabled = true;
        DateTimeOffset? createdAt = null;
        foreach (var member in element.EnumerateObject())
        {
            switch (member.Name)
            {
                case "token": break;
                case "universe": universe = TextOf(member.Value); break;
                case "project": project = TextOf(member.Value); break;
                case "capabilities": capabilities = ReadCapabilities(where, member.Value); break;
                case "enabled" when member.Value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                    enabled = member.Value.GetBoolean();
                    break;
                case "enabled": _faults.Add($"{where}: \"enabled\" is neither true nor false"); break;
                case "createdAt": createdAt = ReadTime(where, member.Value); break;
                case "limits" when member.Value.ValueKind is JsonValueKind.Object:
                    limits = TokenLimitWords.Read(member.Value, fault => _faults.Add($"{where}: {fault}"));
                    break;
                case "limits": _faults.Add($"{where}: \"limits\" is not an object"); break;
                default: _faults.Add($"{where}: unknown member {Quoted(member.Name)}"); break;
            }
        }

        CheckName(where, "universe", universe);
        CheckName(where, "project", project);
        return secret is not null && universe is not null && project is not null
            ? new(secret, universe, project, capabilities, enabled, createdAt, limits)
            : null;
    }

    private Capabilities ReadCapabilities(string where, JsonElement value)
    {
        var granted = Capabilities.None;
        if (value.ValueKind is not JsonValueKind.Array)
        {
            _faults.Add($"{where}: \"capabilities\" is not an array");
            return granted;
        }

        foreach (var item in value.EnumerateArray())
        {
            if (TextOf(item) is not { } word)
            {
                _faults.Add($"{where}: a capability is not a string");
            }
            else if (!CapabilityWords.TryRead(word, out var flag))
            {
                _faults.Add($"{where}: unknown capability {Quoted(word)} (known: {string.Join(", ", CapabilityWords.Known)})");
            }
            else
            {
                granted |= flag;
            }
        }

        return granted;
    }

    private DateTimeOffset? ReadTime(string where, JsonElement value)
    {
        if (DateTimeOffset.TryParse(TextOf(value), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return time;
        }

        _faults.Add($"{where}: \"createdAt\" is not an ISO 8601 time");
        return null;
    }

    private IEnumerable<(string Where, int Index, JsonElement Element)> ObjectsOf(string name, JsonElement list)
    {
        if (list.ValueKind is not JsonValueKind.Array)
        {
            _faults.Add($"\"{name}\" is not an array");
            yield break;
        }

        foreach (var (index, element) in list.EnumerateArray().Index())
        {
            var where = $"{name}[{index}]";
            if (element.ValueKind is JsonValueKind.Object)
            {
                yield return (where, index, element);
            }
            else
            {
                _faults.Add($"{where} is not an object");
            }
        }
    }

    private void CheckName(string where, string member, string? name)
    {
        if (FaultOfName(name) is { } fault)
        {
            _faults.Add($"{where}: \"{member}\" {fault}");
        }
    }

    private static string? TextOf(JsonElement value)
    {
        try
        {
            return value.ValueKind is JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null; // half of a surrogate pair: JSON allows the escape, but it is no text
        }
    }

    /// <summary>A word from the file for a message: cut short, in case a token was put where it does not belong.</summary>
    private static string Quoted(string word) =>
        '"' + string.Concat((word.Length > MaxQuoted ? word[..MaxQuoted] + "…" : word).Select(c => char.IsControl(c) ? '?' : c)) + '"';
}
