using System.Security.Cryptography;
using System.Text;

namespace FastListener.Tokens;

/// <summary>
/// A token's value, masked by its type: whatever formats it, logs it or interpolates it sees <see cref="Masked"/>.
/// Only <see cref="Reveal"/> gives the value, so that a search for its callers finds every place that may print one.
/// </summary>
internal sealed class TokenSecret : IEquatable<TokenSecret>
{
    private readonly string _value;

    public TokenSecret(string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(value);
        _value = value;
        Masked = Mask(value);
        Key = KeyOf(value);
    }

    /// <summary>The first four and the last two characters of a value of 16 or more; less of a shorter one.</summary>
    public string Masked { get; }

    /// <summary>
    /// 24 hex digits of a hash of the value: the same for the same token in every process, safe to log, and what
    /// state kept per token is kept under.
    /// </summary>
    public string Key { get; }

    public int Length => _value.Length;

    /// <summary>A new token as real ones look: 64 lower-case hex digits from the system's random source.</summary>
    public static TokenSecret CreateRandom() => new(RandomNumberGenerator.GetHexString(64, lowercase: true));

    public string Reveal() => _value;

    public byte[] RevealBytes() => Encoding.UTF8.GetBytes(_value);

    public bool StartsWith(string prefix) => _value.StartsWith(prefix, StringComparison.Ordinal);

    public override string ToString() => Masked;

    public bool Equals(TokenSecret? other) => other is not null && _value == other._value;

    public override bool Equals(object? obj) => Equals(obj as TokenSecret);

    public override int GetHashCode() => _value.GetHashCode(StringComparison.Ordinal);

    private static string Mask(string value)
    {
        var (head, tail) = value.Length switch
        {
            >= 16 => (4, 2),
            >= 10 => (2, 1),
            _ => (0, 0),
        };

        return string.Create(head + 1 + tail, (value, head, tail), static (span, state) =>
        {
            for (var i = 0; i < state.head; i++)
            {
                span[i] = Printable(state.value[i]);
            }

            span[state.head] = '…';
            for (var i = 0; i < state.tail; i++)
            {
                span[state.head + 1 + i] = Printable(state.value[state.value.Length - state.tail + i]);
            }
        });
    }

    private static char Printable(char c) => c is > ' ' and < '\x7f' ? c : '?';

    private static string KeyOf(string value)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes("fastlistener token\0" + value), hash);
        return Convert.ToHexStringLower(hash[..12]);
    }
}
