namespace FastListener.Protocol.Http;

/// <summary>Walks the members of a comma-separated field value (RFC 9110 5.6.1); empty members are skipped.</summary>
internal ref struct ListTokens(ReadOnlySpan<byte> value)
{
    private ReadOnlySpan<byte> _rest = value;

    public ReadOnlySpan<byte> Current { get; private set; }

    public bool MoveNext()
    {
        while (!_rest.IsEmpty)
        {
            var comma = _rest.IndexOf((byte)',');
            Current = FieldGrammar.TrimOws(comma < 0 ? _rest : _rest[..comma]);
            _rest = comma < 0 ? default : _rest[(comma + 1)..];
            if (!Current.IsEmpty)
            {
                return true;
            }
        }

        return false;
    }
}
