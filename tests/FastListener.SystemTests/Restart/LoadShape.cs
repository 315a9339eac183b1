namespace FastListener.SystemTests.Restart;

/// <summary>What uploaders send, and how many they are: what is struck in one shape of load is not what is struck in another.</summary>
/// <param name="Name">Its name in what the tests print.</param>
/// <param name="Senders">Connections that send at the same time.</param>
/// <param name="Pace">How many answers to wait for before the listener is struck, beside those of the mixed load.</param>
/// <param name="ReportLength">The length of a report, by its number.</param>
/// <param name="AttachmentLength">The length of the attachment that comes with it, by its number; 0: none.</param>
/// <param name="LateLength">The length of a late attachment, by its number.</param>
/// <param name="IsLate">Whether the next upload is a late attachment, by the sender's round.</param>
/// <param name="AsCrashpadDoes">A gzipped form in chunks with Crashpad's annotations, whatever is in it.</param>
internal sealed record LoadShape(
    string Name,
    int Senders,
    double Pace,
    Func<int, int> ReportLength,
    Func<int, int> AttachmentLength,
    Func<int, int> LateLength,
    Func<int, bool> IsLate,
    bool AsCrashpadDoes = false)
{
    private const int LargeEvery = 12;

    /// <summary>All of them; odd in number, so that whoever does something every other time does it in each.</summary>
    public static IReadOnlyList<LoadShape> All { get; } =
    [
        new("mixed", 4, 1,
            number => number % LargeEvery == 0 ? 1_200_000 + (number * 7919 % 1_000_000) : 200 + (number * 7919 % 30_000),
            number => number % 3 != 0 ? 0 : number % 24 == 0 ? 1_300_000 : 3000,
            number => number % LargeEvery == 0 ? 1_500_000 : 2000,
            round => round % 5 == 0),
        new("many small", 64, 4, number => 200 + (number * 7919 % 8000), _ => 0, _ => 0, _ => false),
        new("few large", 2, 0.03, number => 50_000_000 + (number * 7919 % 1_000_000), _ => 0, _ => 0, _ => false),
        new("mostly late", 8, 1,
            number => 200 + (number * 7919 % 30_000),
            _ => 0,
            number => number % LargeEvery == 0 ? 1_500_000 + (number * 7919 % 1_000_000) : 200 + (number * 7919 % 30_000),
            round => round % 8 != 0),
        new("Crashpad's forms", 8, 1,
            number => number % LargeEvery == 0 ? 1_200_000 + (number * 7919 % 1_000_000) : 20_000 + (number * 7919 % 100_000),
            number => number % 3 != 0 ? 0 : number % 24 == 0 ? 1_300_000 : 3000,
            _ => 0,
            _ => false,
            AsCrashpadDoes: true),
    ];

    /// <summary>The shape of a round, each in its turn.</summary>
    public static LoadShape Of(int round) => All[round % All.Count];

    /// <summary>After how many answers more the listener is struck, out of a number drawn for the mixed load.</summary>
    public int Answers(int drawn) => Math.Max(1, (int)(drawn * Pace));
}
