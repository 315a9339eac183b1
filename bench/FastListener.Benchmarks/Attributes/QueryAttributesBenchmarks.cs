using System.Text;
using BenchmarkDotNet.Attributes;
using FastListener.Protocol.Text;
using FastListener.TestInputs;
using Microsoft.AspNetCore.WebUtilities;

namespace FastListener.Benchmarks.Attributes;

/// <summary>45 attributes in a query, decoded. Ours stay UTF-8, in order, repeats kept; the peer makes strings and a dictionary.</summary>
[MemoryDiagnoser]
public class QueryAttributesBenchmarks
{
    private readonly byte[] _query = Encoding.ASCII.GetBytes(CrashpadAttributes.Query);
    private readonly byte[] _decoded = new byte[4096];
    private readonly string _text = "?" + CrashpadAttributes.Query;

    [GlobalSetup]
    public void Setup()
    {
        if (QueryHelpersParse() != CrashpadAttributes.Count || FastListener() != CrashpadAttributes.All.Sum(pair => pair.Name.Length + pair.Value.Length))
        {
            throw new InvalidOperationException("An attribute was lost.");
        }
    }

    [Benchmark(Baseline = true, Description = "QueryHelpers.ParseQuery")]
    public int QueryHelpersParse() => QueryHelpers.ParseQuery(_text).Count;

    [Benchmark]
    public int FastListener()
    {
        var bytes = 0;
        var pairs = new QueryReader(_query);
        while (pairs.MoveNext())
        {
            bytes += PercentDecoding.Decode(pairs.Name, _decoded, plusIsSpace: true);
            bytes += PercentDecoding.Decode(pairs.Value, _decoded, plusIsSpace: true);
        }

        return bytes;
    }
}
