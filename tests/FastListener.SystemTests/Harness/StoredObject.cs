using System.Text.Json;

namespace FastListener.SystemTests.Harness;

/// <summary>One object as <c>list --json</c> and <c>show --json</c> describe it.</summary>
internal sealed record StoredObject(
    string Id,
    string Rxid,
    string Project,
    string Format,
    string ClientAddress,
    IReadOnlyDictionary<string, string> Attributes,
    IReadOnlyList<StoredAttribute> AllAttributes,
    IReadOnlyList<string> Notes,
    IReadOnlyList<StoredPayload> Payloads)
{
    /// <summary>What was given up and why, as LEVEL:REASON; null when nothing was.</summary>
    public string? Degraded { get; init; }

    public StoredPayload Report => Payloads.Single(payload => payload.Kind == "report");

    public IEnumerable<StoredPayload> Attachments => Payloads.Where(payload => payload.Kind == "attachment");

    public static StoredObject Read(JsonElement json) => new(
        Text(json, "id"),
        Text(json, "rxid"),
        Text(json, "project"),
        Text(json, "format"),
        Text(json, "clientAddress"),
        json.GetProperty("attributes").EnumerateObject().ToDictionary(pair => pair.Name, pair => pair.Value.GetString() ?? "null"),
        [.. json.GetProperty("allAttributes").EnumerateArray().Select(
            item => new StoredAttribute(Text(item, "name"), Text(item, "value"), Text(item, "source")))],
        [.. json.GetProperty("notes").EnumerateArray().Select(note => note.GetString()!)],
        [.. json.GetProperty("payloads").EnumerateArray().Select(
            item => new StoredPayload(Text(item, "kind"), Text(item, "name"), Text(item, "fileName"), item.GetProperty("size").GetInt64(),
                item.GetProperty("checksum").GetString()!, item.GetProperty("omitted").GetString()))])
    {
        Degraded = json.GetProperty("degraded") is { ValueKind: JsonValueKind.Object } degraded
            ? $"{Text(degraded, "level")}:{Text(degraded, "reason")}"
            : null,
    };

    private static string Text(JsonElement json, string key) => json.TryGetProperty(key, out var value)
        ? value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText()
        : throw new InvalidDataException($"No key '{key}' in {json.GetRawText()}");
}

internal sealed record StoredAttribute(string Name, string Value, string Source);

/// <param name="Omitted">Why its bytes were not kept; null when they were.</param>
internal sealed record StoredPayload(string Kind, string Name, string FileName, long Size, string Checksum, string? Omitted);
