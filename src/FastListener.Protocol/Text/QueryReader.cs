using System.Buffers;

namespace FastListener.Protocol.Text;

/// <summary>
/// Walks the pairs of a query, in the order sent, repeats included. Names and values are raw spans of the query; decode them with
/// <see cref="PercentDecoding"/>. Pairs are separated by <c>&amp;</c>; a second <c>?</c> that is followed by <c>name=</c> separates too,
/// because documentation that people paste from has it (<c>…&amp;_mod_sync=1?format=dump</c>). Empty pairs are skipped.
/// </summary>
/// <param name="query">The part of the target after the first <c>?</c>.</param>
public ref struct QueryReader(ReadOnlySpan<byte> query)
{
    private static readonly SearchValues<byte> PlainName = SearchValues.Create(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz.-"u8);

    private ReadOnlySpan<byte> _rest = query;

    /// <summary>The current pair's name, still encoded; may be empty (<c>=value</c>).</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>The current pair's value, still encoded; empty when there is no <c>=</c>.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Whether the current pair has a <c>=</c>.</summary>
    public bool HasValue { get; private set; }

    /// <summary>Moves to the next pair.</summary>
    /// <returns>False when there is none.</returns>
    public bool MoveNext()
    {
        while (!_rest.IsEmpty)
        {
            var end = EndOfPair(_rest);
            var pair = _rest[..end];
            _rest = end < _rest.Length ? _rest[(end + 1)..] : default;
            if (pair.IsEmpty)
            {
                continue;
            }

            var equals = pair.IndexOf((byte)'=');
            HasValue = equals >= 0;
            Name = HasValue ? pair[..equals] : pair;
            Value = HasValue ? pair[(equals + 1)..] : default;
            return true;
        }

        return false;
    }

    private static int EndOfPair(ReadOnlySpan<byte> rest)
    {
        var at = 0;
        while (true)
        {
            var found = rest[at..].IndexOfAny((byte)'&', (byte)'?');
            if (found < 0)
            {
                return rest.Length;
            }

            at += found;
            if (rest[at] == '&')
            {
                return at;
            }

            var name = rest[(at + 1)..].IndexOfAnyExcept(PlainName);
            if (name > 0 && rest[at + 1 + name] == '=')
            {
                return at;
            }

            at++;
        }
    }
}
