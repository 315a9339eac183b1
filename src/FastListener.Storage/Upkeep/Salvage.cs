namespace FastListener.Storage;

/// <summary>Rebuilds a lost or damaged catalog from the packs, which describe themselves.</summary>
public static class Salvage
{
    /// <summary>
    /// Writes a new catalog and sets the old one aside. Takes the directory's lock: throws <see cref="StoreBusyException"/> while a server runs.
    /// </summary>
    public static SalvageReport Run(string dataDirectory, IProgress<UpkeepProgress>? progress = null, CancellationToken cancel = default) =>
        throw new NotSupportedException(dataDirectory + progress + cancel);
}
