using FastListener.ConformanceTests.Cases;

namespace FastListener.ConformanceTests;

/// <summary>How the bytes of a case travel: in which pieces, each sent only when the listener has read the one before.</summary>
internal sealed record Delivery(string Name, int[] Cuts)
{
    /// <summary>Up to here a case is cut at every byte; beyond, at its seams and at places spread evenly.</summary>
    private const int EveryByteLimit = 512;

    private const int SampledCuts = 24;
    private const int ByteByByteLimit = 3 * 1024;

    /// <summary>Up to here the cases that <see cref="s_cutEverywhere"/> names are cut at every byte; byte by byte they go whatever their length.</summary>
    private const int CutEverywhereLimit = 64 * 1024;

    /// <summary>"all", or how the ids of some cases begin (a chapter, or more): the others then go whole only. Null as a rule.</summary>
    private static readonly string? s_cutEverywhere = Environment.GetEnvironmentVariable("FASTLISTENER_CONFORMANCE_CUTS");

    /// <summary>Whether long cases, too, are cut everywhere.</summary>
    public static bool CutsEverywhere => s_cutEverywhere is not null;

    public static Delivery Whole { get; } = new("whole", []);

    public static IEnumerable<Delivery> Of(ConformanceCase test, CaseBytes bytes)
    {
        var length = bytes.All.Length;
        var everywhere = s_cutEverywhere is "all" || (s_cutEverywhere is { } named && test.Id.StartsWith(named, StringComparison.Ordinal));
        if (test.Expected.Continue)
        {
            yield return new("with the body held until 100", [bytes.HeadEnd]);
        }

        yield return Whole;
        if (CutsEverywhere && !everywhere)
        {
            yield break;
        }

        if (everywhere || length <= ByteByByteLimit)
        {
            yield return new("byte by byte", [.. Enumerable.Range(1, Math.Max(0, length - 1))]);
        }

        foreach (var cut in length <= (everywhere ? CutEverywhereLimit : EveryByteLimit) ? Enumerable.Range(1, Math.Max(0, length - 1)) : Sampled(bytes))
        {
            yield return new($"cut at {cut}", [cut]);
        }
    }

    private static IEnumerable<int> Sampled(CaseBytes bytes)
    {
        var length = bytes.All.Length;
        int[] seams = [.. Around(bytes.HeadEnd), .. Around(bytes.FirstMessage), .. Around(length - 4)];
        return Enumerable.Range(1, SampledCuts).Select(step => (int)((long)length * step / (SampledCuts + 1)))
            .Concat(seams)
            .Where(cut => cut > 0 && cut < length)
            .Distinct();
    }

    private static IEnumerable<int> Around(int place) => Enumerable.Range(place - 3, 6);
}
