using System.Text;
using FastListener.Fuzz.Checks;
using FastListener.Fuzz.Models;
using FastListener.Fuzz.Running;
using FastListener.Protocol.Text;

namespace FastListener.Fuzz.Targets;

/// <summary>The query reader and percent-decoding. Selectors: cut (2 bytes).</summary>
internal sealed class QueryTarget : IFuzzTarget
{
    private readonly Transcript _pairs = new();
    private readonly Transcript _other = new();

    public string Name => "query";

    public void Run(ReadOnlySpan<byte> input)
    {
        var selectors = new FuzzInput(input);
        var cut = selectors.UInt16();
        var bytes = selectors.Rest;
        cut = (ushort)(cut % (bytes.Length + 1));
        ReadPairs(bytes);
        Decode(bytes, cut, plusIsSpace: true);
        Decode(bytes, cut, plusIsSpace: false);
        RoundTrip(bytes);
    }

    private void ReadPairs(ReadOnlySpan<byte> query)
    {
        Read(query, _pairs);
        _other.Clear();
        foreach (var (name, value) in QueryModel.Read(query))
        {
            _other.Add(name);
            _other.Add(value is not null);
            _other.Add(value);
        }

        Invariant.Same(_pairs.Written, _other.Written, "Reader and model agree on the pairs of a query.");
        if (query.IndexOf((byte)'&') is >= 0 and var ampersand)
        {
            // A pair depends on nothing outside it.
            Read(query[..ampersand], _other);
            var length = _other.Length;
            Invariant.Same(_pairs.Written[..length], _other.Written, "What stands before an ampersand reads the same alone.");
            Read(query[(ampersand + 1)..], _other);
            Invariant.Same(_pairs.Written[length..], _other.Written, "What stands behind an ampersand reads the same alone.");
        }
    }

    private static void Read(ReadOnlySpan<byte> query, Transcript transcript)
    {
        transcript.Clear();
        var reader = new QueryReader(query);
        var last = -1;
        while (reader.MoveNext())
        {
            Invariant.Holds(query.Overlaps(reader.Name, out var at) || reader.Name.IsEmpty, "Names are slices of the query.");
            Invariant.Holds(reader.Name.IsEmpty || at > last, "Pairs come in order.");
            last = reader.Name.IsEmpty ? last : at;
            Invariant.Holds(reader.HasValue || reader.Value.IsEmpty, "Only a pair with an equals sign has a value.");
            Invariant.Holds(reader.HasValue || !reader.Name.IsEmpty, "No pair is empty.");
            transcript.Add(reader.Name);
            transcript.Add(reader.HasValue);
            transcript.Add(reader.Value);
        }

        Invariant.Holds(!reader.MoveNext(), "A query that has ended stays ended.");
    }

    private static void Decode(ReadOnlySpan<byte> bytes, int cut, bool plusIsSpace)
    {
        var guarded = new byte[bytes.Length + 1];
        guarded[^1] = 0xA5;
        var length = PercentDecoding.Decode(bytes, guarded.AsSpan(0, bytes.Length), plusIsSpace);
        Invariant.Holds(length <= bytes.Length && guarded[^1] == 0xA5, "Decoding never makes text longer.");
        var decoded = guarded.AsSpan(0, length);
        Invariant.Same(decoded, QueryModel.Decode(bytes, plusIsSpace), "Decoder and model agree.");
        var inPlace = bytes.ToArray();
        Invariant.Same(decoded, inPlace.AsSpan(0, PercentDecoding.Decode(inPlace, inPlace, plusIsSpace)), "Decoding in place gives the same.");
        if (bytes[Math.Max(0, cut - 2)..cut].Contains((byte)'%'))
        {
            return; // the cut may fall into an escape
        }

        var halves = new byte[bytes.Length];
        var first = PercentDecoding.Decode(bytes[..cut], halves, plusIsSpace);
        first += PercentDecoding.Decode(bytes[cut..], halves.AsSpan(first), plusIsSpace);
        Invariant.Same(decoded, halves.AsSpan(0, first), "Two halves decode to the whole.");
    }

    private static void RoundTrip(ReadOnlySpan<byte> bytes)
    {
        var encoded = new StringBuilder("a=");
        foreach (var b in bytes)
        {
            encoded.Append(System.Globalization.CultureInfo.InvariantCulture, $"%{b:x2}");
        }

        var query = new QueryReader(Encoding.ASCII.GetBytes(encoded.ToString()));
        Invariant.Holds(query.MoveNext(), "An encoded value is a pair.");
        var decoded = new byte[query.Value.Length];
        var length = PercentDecoding.Decode(query.Value, decoded, plusIsSpace: true);
        Invariant.Same(decoded.AsSpan(0, length), bytes, "What was encoded comes out again.");
        Invariant.Holds(!query.MoveNext(), "An encoded value is one pair.");
    }
}
