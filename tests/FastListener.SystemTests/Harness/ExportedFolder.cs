namespace FastListener.SystemTests.Harness;

/// <summary>What <c>export --all --to DIR</c> wrote: <c>DIR/&lt;_rxid&gt;</c> and, beside it, <c>DIR/&lt;_rxid&gt;.parts/</c>.</summary>
internal sealed class ExportedFolder(string folder)
{
    public bool Has(string rxid) => File.Exists(Path.Combine(folder, rxid));

    public string[] Reports() => [.. Directory.GetFiles(folder).Select(path => Path.GetFileName(path))];

    public string ReportHash(string rxid) => Repository.Sha256OfFile(Path.Combine(folder, rxid));

    /// <summary>The attachments' hashes, sorted: their file names are the program's own choice.</summary>
    public string[] AttachmentHashes(string rxid)
    {
        var parts = Path.Combine(folder, rxid + ".parts");
        return Directory.Exists(parts)
            ? [.. Directory.GetFiles(parts, "*", SearchOption.AllDirectories).Select(Repository.Sha256OfFile).Order(StringComparer.Ordinal)]
            : [];
    }
}
