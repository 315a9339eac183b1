using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using System.Security.Cryptography;

namespace FastListener.Tokens;

/// <summary>One snapshot of all tokens. A change of the file makes a new table; nobody ever edits one.</summary>
internal sealed class TokenTable
{
    // Written here only. Not a frozen one: of up to four keys that hashes none, and compares them one after the other.
    private readonly Dictionary<byte[], TokenGrant> _grants;
    private readonly Dictionary<byte[], TokenGrant>.AlternateLookup<ReadOnlySpan<byte>> _byBytes;
    private readonly TokenBytes _bytes;

    /// <param name="entries">The tokens.</param>
    /// <param name="before">The table that this one replaces: a token that stays keeps its traffic.</param>
    /// <param name="bytes">How tokens are hashed and compared, for a test that counts both.</param>
    public TokenTable(IEnumerable<TokenEntry> entries, TokenTable? before = null, TokenBytes? bytes = null)
    {
        _bytes = bytes ?? TokenBytes.Comparer;
        var traffic = (before?.Grants ?? []).ToDictionary(grant => grant.Key, grant => grant.Traffic);
        _grants = new(_bytes);
        foreach (var entry in entries)
        {
            _grants[entry.Token.RevealBytes()] = new TokenGrant(entry, traffic.GetValueOrDefault(entry.Token.Key));
        }

        _byBytes = _grants.GetAlternateLookup<ReadOnlySpan<byte>>();
        Grants = [.. _grants.Values];
    }

    public static TokenTable Empty { get; } = new([]);

    public int Count => _grants.Count;

    /// <summary>Every grant, in no particular order.</summary>
    public IReadOnlyList<TokenGrant> Grants { get; }

    /// <summary>
    /// Finds a token by its exact bytes, of any length. Allocates nothing. A disabled token is found: whoever asks
    /// looks at <see cref="TokenGrant.Enabled"/> and answers as if it had not been.
    /// </summary>
    /// <remarks>
    /// The bytes are hashed whole with a seed no one outside can know, so how long a look-up takes says nothing about
    /// how much of a guess was right; and a miss is made to pay for the one comparison that a hit pays for.
    /// </remarks>
    public bool TryFind(ReadOnlySpan<byte> token, [NotNullWhen(true)] out TokenGrant? grant)
    {
        if (_byBytes.TryGetValue(token, out grant))
        {
            return true;
        }

        _bytes.AreSame(token, token);
        return false;
    }

    /// <summary>The two operations of a look-up that see a token's bytes.</summary>
    internal class TokenBytes : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static readonly TokenBytes Comparer = new();

        private readonly long _seed = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));

        public virtual int HashOf(ReadOnlySpan<byte> token)
        {
            var hash = XxHash3.HashToUInt64(token, _seed);
            return (int)(hash ^ (hash >> 32));
        }

        public virtual bool AreSame(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other) => CryptographicOperations.FixedTimeEquals(one, other);

        public bool Equals(byte[]? x, byte[]? y) => AreSame(x, y);

        public int GetHashCode(byte[] obj) => HashOf(obj);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => AreSame(alternate, other);

        public int GetHashCode(ReadOnlySpan<byte> alternate) => HashOf(alternate);

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
