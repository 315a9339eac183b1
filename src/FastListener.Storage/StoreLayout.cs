using System.Buffers;
using System.Globalization;

namespace FastListener.Storage;

/// <summary>The names inside a data directory.</summary>
internal sealed class StoreLayout(string dataDirectory)
{
    /// <summary>Characters in a payload file's name.</summary>
    public const int FileNameLength = 33;

    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    public string Data { get; } = Path.GetFullPath(dataDirectory);

    public string Catalog => Path.Combine(Data, "catalog.db");

    public string CatalogLog => Catalog + "-wal";

    public string CatalogSharedMemory => Catalog + "-shm";

    public string Packs => Path.Combine(Data, "packs");

    public string Files => Path.Combine(Data, "files");

    public string Staging => Path.Combine(Data, "staging");

    public string Orphans => Path.Combine(Data, "orphans");

    public string Lock => Path.Combine(Data, "lock");

    public string StartLock => Path.Combine(Data, "lock.start");

    public string Reserve => Path.Combine(Data, "reserve");

    public string Pack(long pack) => Path.Combine(Packs, Storage.Packs.PackLayout.FileName(pack));

    public string File(string name) => Path.Combine(Files, FilePath(name));

    /// <exception cref="StoreUnusableException">There is none to read; the message says whether salvage can make one.</exception>
    public void RequireCatalog()
    {
        if (!System.IO.File.Exists(Catalog))
        {
            throw new StoreUnusableException(
                Directory.Exists(Packs)
                    ? $"{Data} has packs but no catalog: salvage can rebuild it."
                    : $"There is no store in {Data}.");
        }
    }

    public string InstanceStaging(uint instance) => Path.Combine(Staging, InstanceName(instance));

    public string InstanceLock(uint instance) => Path.Combine(InstanceStaging(instance), "lock");

    public static string InstanceName(uint instance) => instance.ToString("x8", CultureInfo.InvariantCulture);

    /// <summary>A payload file below <c>files/</c>: two digits of its name spread the files over 256 directories.</summary>
    public static string FilePath(string name) => string.Concat(name.AsSpan(0, 2), "/", name);

    /// <summary>A payload file's name: random, then the instance that wrote it, so that recovery knows whose it is.</summary>
    public static string NewFileName(uint instance)
    {
        Span<byte> random = stackalloc byte[12];
        System.Security.Cryptography.RandomNumberGenerator.Fill(random);
        return $"{Convert.ToHexStringLower(random)}-{InstanceName(instance)}";
    }

    /// <summary>The instance in a payload file's name; false for a name the store did not give.</summary>
    public static bool TryParseFileName(string name, out uint instance)
    {
        instance = 0;
        return name.Length == FileNameLength
            && name[24] == '-'
            && !name.AsSpan(0, 24).ContainsAnyExcept(LowerHex)
            && !name.AsSpan(25).ContainsAnyExcept(LowerHex) // a number may end in NULs, says TryParse; a file's name may not
            && uint.TryParse(name.AsSpan(25), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out instance);
    }
}
