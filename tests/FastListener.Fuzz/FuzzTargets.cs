using FastListener.Fuzz.Targets;

namespace FastListener.Fuzz;

/// <summary>The targets there are.</summary>
internal static class FuzzTargets
{
    private static readonly Func<IFuzzTarget>[] All =
    [
        () => new HeadTarget(), () => new ChunkedTarget(), () => new MultipartTarget(), () => new DispositionTarget(),
        () => new QueryTarget(), () => new EncodedWordsTarget(), () => new PackTarget(), () => new SalvageTarget(),
    ];

    public static string[] Names { get; } = ["head", "chunked", "multipart", "disposition", "query", "encoded-words", "pack", "salvage"];

    /// <summary>A new instance of a target; null when there is none of that name.</summary>
    public static IFuzzTarget? Create(string name) => Array.IndexOf(Names, name) is >= 0 and var index ? All[index]() : null;
}
