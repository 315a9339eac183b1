using System.Text;
using BenchmarkDotNet.Attributes;
using FastListener.TestInputs;
using FastListener.Tokens;

namespace FastListener.Benchmarks.Tokens;

/// <summary>One token among 10,000, from the bytes of a request. The peer makes a string of them and asks a dictionary, as an ASP.NET application would.</summary>
[MemoryDiagnoser]
public class TokenLookupBenchmarks
{
    private const int Tokens = 10_000;
    private const int Asked = 256; // different ones, so that the answer does not sit in the branch predictor

    private readonly byte[][] _asked = new byte[Asked][];
    private TokenTable _table = TokenTable.Empty;
    private Dictionary<string, TokenGrant> _dictionary = [];

    [Params(true, false)]
    public bool Known { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var entries = Enumerable.Range(0, Tokens)
            .Select(i => new TokenEntry(new TokenSecret(Value(i)), "local", $"project-{i}", Capabilities.ErrorPost))
            .ToArray();
        _table = new TokenTable(entries);
        _dictionary = entries.ToDictionary(entry => entry.Token.Reveal(), entry => new TokenGrant(entry), StringComparer.Ordinal);
        for (var i = 0; i < Asked; i++)
        {
            _asked[i] = Encoding.ASCII.GetBytes(Value((Known ? 0 : Tokens) + (i * 37)));
        }

        var expected = Known ? Asked : 0;
        if (Dictionary() != expected || FastListener() != expected)
        {
            throw new InvalidOperationException("A token was not told from another.");
        }

        static string Value(int i) => Convert.ToHexStringLower(SeededBytes.Noise(32, (ulong)i));
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Asked)]
    public int Dictionary()
    {
        var found = 0;
        foreach (var token in _asked)
        {
            found += _dictionary.ContainsKey(Encoding.UTF8.GetString(token)) ? 1 : 0;
        }

        return found;
    }

    [Benchmark(OperationsPerInvoke = Asked)]
    public int FastListener()
    {
        var found = 0;
        foreach (var token in _asked)
        {
            found += _table.TryFind(token, out _) ? 1 : 0;
        }

        return found;
    }
}
