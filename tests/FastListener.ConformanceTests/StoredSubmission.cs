using System.Text.Json;
using FastListener.SystemTests.Harness;

namespace FastListener.ConformanceTests;

/// <summary>One object as <c>list --json</c> describes it, with the checksums of its payloads.</summary>
internal sealed record StoredSubmission(string Rxid, IReadOnlyList<string> Attributes, IReadOnlyList<StoredPart> Parts)
{
    public StoredPart Report => Parts.Single(part => part.Kind == "report");

    public static async Task<IReadOnlyList<StoredSubmission>> ListAsync(string data)
    {
        var reply = (await Command.FastListenerAsync("list", "--data", data, "--json", "--limit", "1000000")).Expect();
        using var document = JsonDocument.Parse(reply.OutputBytes);
        return [.. document.RootElement.EnumerateArray().Select(Read)];
    }

    private static StoredSubmission Read(JsonElement json) => new(
        json.GetProperty("rxid").GetString()!,
        [.. json.GetProperty("allAttributes").EnumerateArray().Select(item => $"{item.GetProperty("name").GetString()}={item.GetProperty("value").GetString()}")],
        [.. json.GetProperty("payloads").EnumerateArray().Select(item => new StoredPart(
            item.GetProperty("kind").GetString()!,
            item.GetProperty("name").GetString()!,
            item.GetProperty("fileName").GetString()!,
            item.GetProperty("size").GetInt64(),
            item.GetProperty("checksum").GetString()!))]);
}

/// <summary>One payload; the checksum is XXH3-128 in hex.</summary>
internal sealed record StoredPart(string Kind, string Name, string FileName, long Size, string Checksum);
