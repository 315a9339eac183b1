namespace FastListener.Fuzz.Running;

/// <summary>Mutations of seeds, the same ones in every run: the short stand-in for afl-fuzz where tests run.</summary>
internal sealed class Mutator(IEnumerable<byte[]> seeds, IEnumerable<byte[]> words)
{
    private const int Seed = 20_261;
    private const int MaxLength = 8 * 1024;
    private static readonly byte[] Interesting = [0, 1, 9, 10, 13, 32, 34, 37, 38, 45, 47, 58, 59, 61, 63, 92, 127, 128, 255];

    private readonly byte[][] _seeds = [.. seeds];
    private readonly byte[][] _words = [.. words];
    private readonly Random _random = new(Seed);

    public byte[] Next()
    {
        var input = new List<byte>(Any(_seeds));
        for (var steps = 1 << _random.Next(0, 5); steps > 0; steps--)
        {
            Mutate(input);
        }

        return [.. input.Take(MaxLength)];
    }

    private void Mutate(List<byte> input)
    {
        var at = _random.Next(input.Count + 1);
        var length = Math.Min(input.Count - at, _random.Next(1, 32));
        switch (_random.Next(8))
        {
            case 0 when at < input.Count:
                input[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1 when at < input.Count:
                input[at] = (byte)_random.Next(256);
                break;
            case 2 when at < input.Count:
                input[at] = Any(Interesting);
                break;
            case 3:
                input.Insert(at, Any(Interesting));
                break;
            case 4:
                input.RemoveRange(at, length);
                break;
            case 5:
                input.InsertRange(_random.Next(input.Count + 1), input.GetRange(at, length));
                break;
            case 6 when Any(_seeds) is { Length: > 0 } other:
                var from = _random.Next(other.Length);
                input.InsertRange(at, other.AsSpan(from, Math.Min(other.Length - from, _random.Next(1, 64))).ToArray());
                break;
            case 7 when _words.Length > 0:
                input.InsertRange(at, Any(_words));
                break;
        }
    }

    private T Any<T>(T[] choices) => choices[_random.Next(choices.Length)];
}
