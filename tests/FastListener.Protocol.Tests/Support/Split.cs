namespace FastListener.Protocol.Tests.Support;

/// <summary>Every way in which bytes can arrive that a test can afford.</summary>
internal static class Split
{
    private const int AllPairsUpTo = 96;

    /// <summary>Whole; cut at each place; byte by byte; for short inputs all pairs of cuts too.</summary>
    public static IEnumerable<byte[][]> EveryWay(byte[] bytes)
    {
        yield return [bytes];
        yield return ByteByByte(bytes);
        for (var i = 1; i < bytes.Length; i++)
        {
            yield return [bytes[..i], bytes[i..]];
        }

        if (bytes.Length > AllPairsUpTo)
        {
            yield break;
        }

        for (var i = 1; i < bytes.Length; i++)
        {
            for (var j = i + 1; j < bytes.Length; j++)
            {
                yield return [bytes[..i], bytes[i..j], bytes[j..]];
            }
        }
    }

    public static byte[][] ByteByByte(byte[] bytes) => [.. bytes.Select(b => new[] { b })];

    /// <summary>Cuts after the given lengths, over and over, until the bytes are used up. Lengths below 1 count as 1.</summary>
    public static byte[][] ByLengths(byte[] bytes, IReadOnlyList<int> lengths)
    {
        var pieces = new List<byte[]>();
        for (int at = 0, i = 0; at < bytes.Length; i++)
        {
            var length = Math.Min(bytes.Length - at, lengths.Count == 0 ? bytes.Length : Math.Max(1, lengths[i % lengths.Count]));
            pieces.Add(bytes[at..(at + length)]);
            at += length;
        }

        return [.. pieces];
    }

    /// <summary>The one outcome of a parse over every way of cutting; a different outcome for any cut fails the test.</summary>
    public static T SameOutcome<T>(byte[] bytes, Func<byte[][], T> parse)
    {
        var whole = parse([(byte[])bytes.Clone()]);
        foreach (var pieces in EveryWay(bytes))
        {
            var outcome = parse(pieces);
            if (!EqualityComparer<T>.Default.Equals(whole, outcome))
            {
                Assert.Fail($"Cut into [{string.Join(' ', pieces.Select(p => p.Length))}]:\n{outcome}\nWhole:\n{whole}");
            }
        }

        return whole;
    }
}
