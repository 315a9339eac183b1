namespace FastListener.Tokens;

/// <summary>What a token may do. The words are those the vendor's documentation uses.</summary>
[Flags]
internal enum Capabilities
{
    None = 0,

    /// <summary><c>error:post</c>: submit reports and attachments. What a legacy "submission token" stands for.</summary>
    ErrorPost = 1 << 0,

    /// <summary><c>symbol:post</c>: upload symbols, ProGuard maps and source maps.</summary>
    SymbolPost = 1 << 1,

    /// <summary><c>sync:post</c>: ask for the synchronous form of a submission.</summary>
    SyncPost = 1 << 2,

    /// <summary><c>query:post</c>: kept for the read side; grants nothing while listening.</summary>
    QueryPost = 1 << 3,

    /// <summary><c>object:get</c>: kept for the read side; grants nothing while listening.</summary>
    ObjectGet = 1 << 4,
}

/// <summary>The one list of capability words, in the order in which they are written.</summary>
internal static class CapabilityWords
{
    private static readonly (string Word, Capabilities Flag)[] All =
    [
        ("error:post", Capabilities.ErrorPost),
        ("symbol:post", Capabilities.SymbolPost),
        ("sync:post", Capabilities.SyncPost),
        ("query:post", Capabilities.QueryPost),
        ("object:get", Capabilities.ObjectGet),
    ];

    /// <summary>Every known word, for messages and for completion.</summary>
    public static IReadOnlyList<string> Known { get; } = [.. All.Select(row => row.Word)];

    public static bool TryRead(string word, out Capabilities flag)
    {
        foreach (var row in All)
        {
            if (row.Word == word)
            {
                flag = row.Flag;
                return true;
            }
        }

        flag = Capabilities.None;
        return false;
    }

    public static IEnumerable<string> Of(Capabilities capabilities) =>
        All.Where(row => capabilities.HasFlag(row.Flag)).Select(row => row.Word);
}
