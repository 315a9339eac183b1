using System.Text.Json;
using FastListener.SystemTests.Harness;

namespace FastListener.ConformanceTests;

/// <summary>One object as <c>list --json</c> describes it, with the checksums of its payloads.</summary>
internal sealed record StoredSubmission(string Rxid, IReadOnlyList<string> Attributes, IReadOnlyList<StoredPart> Parts)
{
    public StoredPart Report => Parts.Single(part => part.Kind == "report");

    /// <summary>Everything that is stored. Cut at every byte the corpus is listed in gigabytes, so the list goes through a file, and equal attributes are kept once.</summary>
    public static async Task<IReadOnlyList<StoredSubmission>> ListAsync(DataDirectory data)
    {
        var file = data.Scratch("list.json");
        string[] list = ["exec dotnet \"$@\" > \"$0\"", file, Repository.Program, "list", "--data", data.Location, "--json", "--limit", "0"];
        (await Command.RunAsync("bash", ["-c", .. list], limit: TimeSpan.FromMinutes(20))).Expect();
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        var stored = new List<StoredSubmission>();
        await using var json = File.OpenRead(file);
        await foreach (var item in JsonSerializer.DeserializeAsyncEnumerable<JsonElement>(json))
        {
            stored.Add(Read(item, known));
        }

        return stored;
    }

    private static StoredSubmission Read(JsonElement json, Dictionary<string, string> known) => new(
        json.GetProperty("rxid").GetString()!,
        [.. json.GetProperty("allAttributes").EnumerateArray().Select(item => Once($"{item.GetProperty("name").GetString()}={item.GetProperty("value").GetString()}", known))],
        [.. json.GetProperty("payloads").EnumerateArray().Select(item => new StoredPart(
            item.GetProperty("kind").GetString()!,
            item.GetProperty("name").GetString()!,
            item.GetProperty("fileName").GetString()!,
            item.GetProperty("size").GetInt64(),
            item.GetProperty("checksum").GetString()!))]);

    private static string Once(string text, Dictionary<string, string> known)
    {
        if (!known.TryGetValue(text, out var same))
        {
            known.Add(text, same = text);
        }

        return same;
    }
}

/// <summary>One payload; the checksum is XXH3-128 in hex.</summary>
internal sealed record StoredPart(string Kind, string Name, string FileName, long Size, string Checksum);
