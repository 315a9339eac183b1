namespace FastListener.Protocol.Http;

/// <summary>One field line. Both spans point into the head's buffer and live as long as the head.</summary>
public readonly ref struct HttpField
{
    internal HttpField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Name = name;
        Value = value;
    }

    /// <summary>The name as sent; compare without regard to case.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>The value without the white space around it; any byte but controls, tabs allowed.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>Takes the field apart.</summary>
    /// <param name="name">The name as sent.</param>
    /// <param name="value">The value without white space around it.</param>
    public void Deconstruct(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = Name;
        value = Value;
    }
}
