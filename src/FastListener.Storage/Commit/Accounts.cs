using System.Collections.Concurrent;

namespace FastListener.Storage.Commit;

/// <summary>Every account this process has met. They are as many as there are keys, and live as long as the store.</summary>
internal sealed class Accounts
{
    private readonly ConcurrentDictionary<string, Account> _byKey = new(StringComparer.Ordinal);

    public Account Get(string key) => _byKey.TryGetValue(key, out var known) ? known : Add(key);

    private Account Add(string key)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(key.Length, Submission.MaxAccountLength, nameof(key));
        return _byKey.GetOrAdd(key, static added => new(added));
    }
}
