using FastListener.ConformanceTests.Cases;

namespace FastListener.ConformanceTests;

/// <summary>How the bytes of a case travel: in which pieces, each sent only when the listener has read the one before.</summary>
internal sealed record Delivery(string Name, int[] Cuts)
{
    /// <summary>Up to here a case is cut at every byte; beyond, at its seams and at places spread evenly.</summary>
    private const int EveryByteLimit = 512;

    private const int SampledCuts = 24;
    private const int ByteByByteLimit = 3 * 1024;

    public static Delivery Whole { get; } = new("whole", []);

    public static IEnumerable<Delivery> Of(ConformanceCase test, CaseBytes bytes)
    {
        var length = bytes.All.Length;
        if (test.Expected.Continue)
        {
            yield return new("with the body held until 100", [bytes.HeadEnd]);
        }

        yield return Whole;
        if (length <= ByteByByteLimit)
        {
            yield return new("byte by byte", [.. Enumerable.Range(1, Math.Max(0, length - 1))]);
        }

        foreach (var cut in length <= EveryByteLimit ? Enumerable.Range(1, Math.Max(0, length - 1)) : Sampled(bytes))
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
