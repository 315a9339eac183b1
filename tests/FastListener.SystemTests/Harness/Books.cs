using System.Text.Json;

namespace FastListener.SystemTests.Harness;

/// <summary>What <c>audit --json</c> says.</summary>
internal sealed class Books(byte[] json)
{
    private readonly JsonElement _root = JsonDocument.Parse(json).RootElement.Clone();

    public long Received => Requests("received");

    /// <summary>Requests of one side of the equation: received, stored, degraded, refused, brokenOff, unsettled.</summary>
    public long Requests(string side) => _root.GetProperty(side).GetProperty("requests").GetInt64();

    public IReadOnlyList<Outcome> Outcomes =>
        [.. _root.GetProperty("outcomes").EnumerateArray().Select(line => new Outcome(
            line.GetProperty("token").GetString()!,
            line.GetProperty("outcome").GetString()!,
            line.GetProperty("requests").GetInt64(),
            line.GetProperty("bytesIn").GetInt64(),
            line.GetProperty("bytesKept").GetInt64()))];

    /// <summary>Uploads under way; null when no listener was there to tell.</summary>
    public IReadOnlyList<(string Token, string Stage, long WireBytes)>? InFlight => _root.GetProperty("inFlight") is not { ValueKind: JsonValueKind.Array } uploads
        ? null
        : [.. uploads.EnumerateArray().Select(upload => (
            upload.GetProperty("token").GetString()!, upload.GetProperty("stage").GetString()!, upload.GetProperty("wireBytes").GetInt64()))];

    /// <summary>Requests of one outcome, over all tokens.</summary>
    public long Count(string outcome) => Outcomes.Where(line => line.Word == outcome).Sum(line => line.Requests);
}

/// <summary>A line of the books. The token is masked.</summary>
internal sealed record Outcome(string Token, string Word, long Requests, long BytesIn, long BytesKept);
