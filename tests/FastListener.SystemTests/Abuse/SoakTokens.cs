using FastListener.SystemTests.Harness;

namespace FastListener.SystemTests.Abuse;

/// <summary>The tokens of a soak beside the one that everybody has.</summary>
/// <param name="Behaving">Of the client that behaves.</param>
/// <param name="Symbols">May upload symbols, and nothing else.</param>
/// <param name="Slowed">May send <see cref="SlowedBytesPerSecond"/>.</param>
/// <param name="Tight">Gives up attachments of more than 1,000 bytes.</param>
/// <param name="Starved">May send next to nothing, and gives up everything.</param>
internal sealed record SoakTokens(string Behaving, string Symbols, string Slowed, string Tight, string Starved)
{
    public const int SlowedBytesPerSecond = 150_000;

    public static async Task<SoakTokens> AddAsync(TunedListener server)
    {
        var symbols = await server.Data.AddTokenAsync("symbols", "symbol:post"); // known when the next ones are
        return new(
            await server.AddTokenAsync("behaved"),
            symbols,
            await server.AddTokenAsync("slowed", $"bytesPerSecond={SlowedBytesPerSecond}", "burstBytes=1"),
            await server.AddTokenAsync("tight", "maxAttachmentBytes=1000", "degrade=without_attachments"),
            await server.AddTokenAsync("starved", "bytesPerSecond=1", "burstBytes=1", "degrade=without_attachments,metadata_only"));
    }
}
